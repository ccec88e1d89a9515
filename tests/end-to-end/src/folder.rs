//! A hotline's folder that a test may do anything to.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// A hotline's folder of one test; removed when this goes.
pub struct Folder {
    place: TempDir,
}

impl Folder {
    /// An empty folder.
    ///
    /// # Panics
    /// When the disk is full, as all methods here.
    pub fn empty() -> Self {
        let place = tempfile::Builder::new()
            .prefix("trunkline-test-")
            .tempdir()
            .expect("there is room for a folder");
        fs::create_dir(place.path().join("hotline")).expect("there is room for a folder");
        Self { place }
    }

    /// A copy of a hotline, each of its YAML files changed on the way.
    pub fn copy_of(hotline: &Path, change: impl Fn(String) -> String) -> Self {
        let folder = Self::empty();
        copy(hotline, &folder.path(), &change).unwrap_or_else(|error| {
            panic!("failed to copy {}: {error}", hotline.display());
        });
        folder
    }

    /// Where the hotline lies.
    pub fn path(&self) -> PathBuf {
        self.place.path().join("hotline")
    }

    /// Where the test may keep other things.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// A file's text.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file))
            .unwrap_or_else(|error| panic!("failed to read {file}: {error}"))
    }

    /// Writes a file in one step: beside the hotline, where nobody looks, and then to its place.
    pub fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("there is room for a folder");
        let beside = self.beside("being-written.new");
        fs::write(&beside, content)
            .and_then(|()| fs::rename(beside, path))
            .unwrap_or_else(|error| panic!("failed to write {file}: {error}"));
    }

    /// Changes a file's text.
    ///
    /// # Panics
    /// When the text does not hold `from`.
    pub fn replace(&self, file: &str, from: &str, to: &str) {
        let text = self.changed(file, from, to);
        self.write(file, text);
    }

    /// Changes a file's text as editors do that empty a file and then write it, piece by piece.
    pub fn replace_in_steps(&self, file: &str, from: &str, to: &str) {
        let text = self.changed(file, from, to);
        let mut file = fs::File::create(self.path().join(file)).expect("the file is there");
        thread::sleep(STEP);
        for piece in text.as_bytes().chunks(text.len() / 4 + 1) {
            file.write_all(piece).expect("there is room for the file");
            file.flush().expect("there is room for the file");
            thread::sleep(STEP);
        }
    }

    /// Changes a file's text as editors do that write beside the file and put the new one in
    /// its place, keeping the old one as a backup.
    pub fn replace_by_rename(&self, file: &str, from: &str, to: &str) {
        let text = self.changed(file, from, to);
        let path = self.path().join(file);
        let beside = path.with_extension("yaml.4913");
        fs::rename(&path, path.with_extension("yaml~")).expect("the file is there");
        thread::sleep(STEP);
        fs::write(&beside, text).expect("there is room for the file");
        fs::rename(beside, path).expect("the file was just written");
    }

    fn changed(&self, file: &str, from: &str, to: &str) -> String {
        let text = self.read(file);
        assert!(text.contains(from), "{file} does not hold {from:?}");
        text.replacen(from, to, 1)
    }
}

/// Between the steps of an editor.
const STEP: Duration = Duration::from_millis(40);

/// Copies a folder; YAML files are changed on the way.
fn copy(from: &Path, to: &Path, change: &dyn Fn(String) -> String) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let source = entry?.path();
        let place = to.join(source.file_name().expect("an entry of a folder has a name"));
        if source.is_dir() {
            copy(&source, &place, change)?;
        } else if source.extension().is_some_and(|extension| extension == "yaml") {
            fs::write(place, change(fs::read_to_string(&source)?))?;
        } else {
            fs::copy(&source, place)?;
        }
    }
    Ok(())
}

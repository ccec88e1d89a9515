//! Components made to hurt whoever loads them: each is refused, or loads within bounds.

use std::{fmt::Write as _, sync::Arc};

use trunkline_plugin::{Grants, Host, LoadError, Plugin};

use crate::guests::{answer, call, deployment, host, int};

async fn load(host: &Arc<Host>, bytes: Vec<u8>) -> Result<Plugin, LoadError> {
    host.load(bytes.into(), deployment("bomb", Grants::default()))
        .await
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("well-formed text")
}

/// A component whose one function is that of a core module.
fn lifted(module: &str) -> Vec<u8> {
    wasm(&format!(
        "(component (core module $m {module}) (core instance $i (instantiate $m))
           (func (export \"f\") (canon lift (core func $i \"f\"))))"
    ))
}

/// Whoever else there is is served as before.
async fn host_is_well(host: &Arc<Host>) {
    let component = wasm(
        "(component (core module $m (func (export \"f\") (result i32) (i32.const 7)))
           (core instance $i (instantiate $m))
           (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))",
    );
    let plugin = load(host, component).await.expect("it is an ordinary component");
    assert_eq!(answer(call(&plugin, "f", []).await), int(7));
}

async fn refused(host: &Arc<Host>, what: &str, bytes: Vec<u8>, code: &str, said: &str) {
    match load(host, bytes).await {
        Ok(_) => panic!("{what} loads"),
        Err(error) => {
            assert_eq!(error.code(), code, "{what}: {error}");
            assert!(error.to_string().contains(said), "{what}: {error}");
        }
    }
    host_is_well(host).await;
}

/// A component in a component, so many times.
fn nested(depth: usize) -> Vec<u8> {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const COMPONENT_SECTION: u8 = 4;
    let mut inner = EMPTY.to_vec();
    for _ in 0..depth {
        let mut outer = EMPTY.to_vec();
        outer.push(COMPONENT_SECTION);
        outer.extend(crate::malformed::leb(inner.len() as u64));
        outer.extend(inner);
        inner = outer;
    }
    inner
}

#[tokio::test]
async fn components_within_components_have_a_depth() {
    let host = host();
    for depth in [33, 1_000, 10_000] {
        refused(
            &host,
            "nesting",
            nested(depth),
            "component-too-demanding",
            "deeper than 32",
        )
        .await;
    }
    refused(
        &host,
        "nesting",
        nested(20),
        "exports-none",
        "exports no function",
    )
    .await;
}

#[tokio::test]
async fn instances_that_double_are_counted_before_they_are_made() {
    // A kilobyte that would be 2^30 instances, and take the compiler as long.
    let mut text = String::from(
        "(component (component $c0 (core module $m (func (export \"f\")))
           (core instance $i (instantiate $m)) (func (export \"f\") (canon lift (core func $i \"f\"))))",
    );
    for step in 1..30 {
        write!(
            text,
            "(component $c{step} (alias outer 1 $c{} (component $p))
               (instance $a (instantiate $p)) (instance (instantiate $p)) (export \"f\" (func $a \"f\")))",
            step - 1
        )
        .unwrap();
    }
    text.push_str("(instance $x (instantiate $c29)) (export \"f\" (func $x \"f\")))");
    let host = host();
    refused(
        &host,
        "doubling",
        wasm(&text),
        "component-too-demanding",
        "core instances",
    )
    .await;
    let handed = "(component
        (component $worker (import \"p\" (component $p)) (instance (instantiate $p)) (instance (instantiate $p)))
        (component $empty)
        (instance (instantiate $worker (with \"p\" (component $empty)))))";
    refused(
        &host,
        "handed over",
        wasm(handed),
        "component-too-demanding",
        "handed to components",
    )
    .await;
}

#[tokio::test]
async fn types_that_double_or_nest_are_bounded() {
    let answering = |types: String, last: usize| {
        wasm(&format!(
            "(component {types} (core module $m (memory (export \"m\") 1) (func (export \"f\") (result i32) i32.const 0))
               (core instance $i (instantiate $m))
               (func (export \"f\") (result $t{last}) (canon lift (core func $i \"f\") (memory $i \"m\"))))"
        ))
    };
    let chain = |first: &str, steps: usize, next: &dyn Fn(usize) -> String| {
        let mut types = format!("(type $t0 {first})");
        for step in 1..=steps {
            write!(types, "(type $t{step} {})", next(step - 1)).unwrap();
        }
        answering(types, steps)
    };
    let pairs = |of: usize| format!("(tuple $t{of} $t{of})");
    let lists = |of: usize| format!("(list $t{of})");
    let host = host();
    refused(
        &host,
        "pairs",
        chain("(tuple u8 u8)", 15, &pairs),
        "export-type-too-large",
        "4096",
    )
    .await;
    refused(
        &host,
        "pairs",
        chain("(tuple u8 u8)", 60, &pairs),
        "component-invalid",
        "size",
    )
    .await;
    refused(
        &host,
        "lists",
        chain("(list u8)", 400, &lists),
        "component-invalid",
        "too deep",
    )
    .await;
    // As deep as a type may be, it loads and is called: nothing of it overflows a stack.
    let deep = load(&host, chain("(list u8)", 90, &lists))
        .await
        .expect("within the bounds");
    answer(call(&deep, "f", []).await);
}

#[tokio::test]
async fn exports_without_end_are_refused() {
    let mut text = String::from(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
           (func $f (canon lift (core func $i \"f\")))",
    );
    for export in 0..5_000 {
        write!(text, "(export \"f{export}\" (func $f))").unwrap();
    }
    text.push(')');
    let host = host();
    refused(
        &host,
        "exports",
        wasm(&text),
        "exports-too-many",
        "more than 512 functions",
    )
    .await;
}

#[tokio::test]
async fn code_that_would_keep_the_compiler_is_refused() {
    let host = host();
    let many = format!("(func (export \"f\")) {}", "(func)".repeat(100_001));
    refused(
        &host,
        "many functions",
        lifted(&many),
        "component-too-complex",
        "functions in its code",
    )
    .await;
    // Three hundred kilobytes in which everything may be everything.
    let mut tangled = format!("(func (export \"f\") (local {})", "i64 ".repeat(400));
    for step in 0..6_000 {
        write!(
            tangled,
            "(block (br_if 0 (i64.eqz (local.get {}))) (local.set {} (i64.add (local.get {}) (local.get {}))))",
            step % 400,
            step * 7 % 400,
            step * 3 % 400,
            step * 11 % 400
        )
        .unwrap();
    }
    tangled.push(')');
    refused(
        &host,
        "a tangle",
        lifted(&tangled),
        "component-too-complex",
        "branches times variables in one function",
    )
    .await;
}

#[tokio::test]
async fn memories_of_another_size_are_bounded_all_the_same() {
    let host = host();
    refused(
        &host,
        "four gibibytes",
        lifted("(memory 65536) (func (export \"f\"))"),
        "component-too-demanding",
        "memory to begin with",
    )
    .await;
    refused(
        &host,
        "a table",
        lifted("(table 10000000 funcref) (func (export \"f\"))"),
        "component-too-demanding",
        "elements in a table",
    )
    .await;
    // 64-bit memories run, and grow no further than others.
    let wide = lifted("(memory i64 1) (func (export \"f\") (drop (memory.grow (i64.const 0x100000000))))");
    let plugin = load(&host, wide).await.expect("64-bit memories are valid");
    let (kind, message) = crate::guests::fault(call(&plugin, "f", []).await);
    assert_eq!(kind, trunkline_model::FaultKind::OutOfMemory, "{message}");
}

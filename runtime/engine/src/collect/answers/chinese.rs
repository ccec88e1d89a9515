//! Chinese numerals: strict about places, so that what is no number is not made one.

/// The places within four digits, from the left.
const PLACES: [(char, u64); 3] = [('千', 1_000), ('百', 100), ('十', 10)];

const WAN: u64 = 10_000;
const YI: u64 = 100_000_000;

/// Characters of the longest numeral.
const CHARS_MAX: usize = 40;

/// Digits of the longest numeral written in ASCII that a place follows: `3万`.
const ASCII_DIGITS_MAX: usize = 12;

/// The digit that a character is when digits are read one by one: 幺 is how 一 is said then.
pub(super) fn digit(c: char) -> Option<u64> {
    match c {
        '幺' => Some(1),
        _ => figure(c),
    }
}

/// The digit that a character is in a numeral.
fn figure(c: char) -> Option<u64> {
    Some(match c {
        '零' => 0,
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// A whole number from 0 to below 10^12: `三百二十五`, `两万`, `一千零五`, `一千二` (1,200), `3万`.
/// Its text has no spaces and only simple characters.
pub(super) fn cardinal(text: &str) -> Option<u64> {
    if text == "零" {
        return Some(0);
    }
    if text.chars().count() > CHARS_MAX {
        return None;
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return mixed(text).filter(|value| *value < WAN * YI);
    }
    match text.split_once('亿') {
        Some((before, after)) => {
            let high = below_yi(before)?;
            let low = remainder(after, YI, below_yi)?;
            (high < WAN).then(|| high * YI + low)
        }
        None => below_yi(text),
    }
}

fn below_yi(text: &str) -> Option<u64> {
    match text.split_once('万') {
        Some((before, after)) => Some(section(before)? * WAN + remainder(after, WAN, section)?),
        None => section(text),
    }
}

/// What follows a large place: nothing, one figure that stands for the next place (`一万二` is
/// 12,000), or a number below the place, with 零 where places are passed over.
fn remainder(text: &str, place: u64, read: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    let mut characters = text.chars();
    let first = characters.next().and_then(figure);
    if let (Some(figure @ 1..), None) = (first, characters.next()) {
        return Some(figure * place / 10);
    }
    match text.strip_prefix('零') {
        // `一万零二千` breaks the rule for 零 and is as clear as `一万二千`.
        Some(rest) => read(rest).filter(|value| *value < place),
        None => read(text).filter(|value| *value < place),
    }
}

/// A number from 1 to 9,999 without a large place.
fn section(text: &str) -> Option<u64> {
    let mut total = 0;
    // The place passed last; the next has to be smaller.
    let mut above = WAN;
    let mut passed_over = false;
    let mut characters = text.chars().peekable();
    if characters.peek() == Some(&'零') {
        return None;
    }
    while let Some(c) = characters.next() {
        if c == '零' {
            // Two in a row, none to follow, or no place between that it could stand for.
            if passed_over || characters.peek().is_none() || above <= 10 {
                return None;
            }
            passed_over = true;
            continue;
        }
        let place_of = |c: char| {
            PLACES
                .iter()
                .find(|(name, _)| *name == c)
                .map(|(_, place)| *place)
        };
        // 十 may do without a figure: 十二, 一百零十 is none.
        let (figure, place) = if c == '十' {
            (1, Some(10))
        } else {
            let figure = figure(c)?;
            let place = characters.peek().copied().and_then(place_of);
            if place.is_some() {
                characters.next();
            }
            // 两 is said of hundreds and more, and alone.
            if c == '两' && (place == Some(10) || (place.is_none() && total > 0)) {
                return None;
            }
            (figure, place)
        };
        match place {
            Some(place) => {
                if place >= above || (passed_over && place * 10 >= above) {
                    return None;
                }
                total += figure * place;
                above = place;
                passed_over = false;
            }
            None => {
                if characters.peek().is_some() {
                    return None;
                }
                // `一千二` is 1,200, `一千零二` is 1,002, `二` is 2.
                let place = if passed_over || above == 10 || total == 0 {
                    1
                } else {
                    above / 10
                };
                return Some(total + figure * place);
            }
        }
    }
    (total > 0).then_some(total)
}

/// ASCII figures with places after them: `3万`, `1.5万`, `2千万`, `3万5千`, `1万2000`.
fn mixed(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))
        .unwrap_or(text.len());
    let (figures, mut rest) = text.split_at(end);
    let mut place: u64 = 1;
    while let Some(c) = rest.chars().next() {
        let factor = match c {
            '亿' => YI,
            '万' => WAN,
            '千' => 1_000,
            '百' => 100,
            '十' => 10,
            _ => break,
        };
        place = place.checked_mul(factor)?;
        rest = &rest[c.len_utf8()..];
    }
    let high = scaled(figures, place)?;
    if rest.is_empty() {
        return Some(high);
    }
    let with_zero = rest.strip_prefix('零');
    let low = mixed(with_zero.unwrap_or(rest))?;
    // Figures alone after a place are clear only if they fill it: `3万5` may be either of two.
    let fills = with_zero.is_some() || !rest.bytes().all(|byte| byte.is_ascii_digit()) || low >= place / 10;
    (low < place && fills).then(|| high + low)
}

/// Figures, which may have a point, times a place; none when it is no whole number.
fn scaled(figures: &str, place: u64) -> Option<u64> {
    let figures = figures.replace(',', "");
    let (whole, fraction) = figures.split_once('.').unwrap_or((&figures, ""));
    let digits = format!("{whole}{fraction}");
    let fits = !whole.is_empty()
        && digits.len() <= ASCII_DIGITS_MAX
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && figures.ends_with(|c: char| c.is_ascii_digit());
    if !fits {
        return None;
    }
    let divisor = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let value: u64 = digits.parse::<u64>().ok()?.checked_mul(place)?;
    value.is_multiple_of(divisor).then(|| value / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_are_read() {
        for (text, value) in [
            ("零", 0),
            ("两", 2),
            ("十", 10),
            ("十二", 12),
            ("一十二", 12),
            ("三百二十五", 325),
            ("三百五", 350),
            ("一百十五", 115),
            ("三百零五", 305),
            ("一千零五", 1_005),
            ("一千零五十", 1_050),
            ("一千二", 1_200),
            ("两千两百", 2_200),
            ("一千二十", 1_020),
            ("两万", 20_000),
            ("一万二", 12_000),
            ("一万零五", 10_005),
            ("一万零五十", 10_050),
            ("一万五百", 10_500),
            ("一万零二千", 12_000),
            ("十万零三百", 100_300),
            ("一百二十万", 1_200_000),
            ("九千九百九十九万九千九百九十九", 99_999_999),
            ("一亿", 100_000_000),
            ("一亿零五", 100_000_005),
            ("一亿五", 150_000_000),
            ("三亿二千万", 320_000_000),
            ("3万", 30_000),
            ("1.5万", 15_000),
            ("2千万", 20_000_000),
            ("3万5千", 35_000),
            ("1万2000", 12_000),
            ("3百", 300),
            ("1,200", 1_200),
        ] {
            assert_eq!(cardinal(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_numeral_is_not_made_one() {
        for text in [
            "",
            "百",
            "十十",
            "十百",
            "零零",
            "零一",
            "一百零",
            "一百零零五",
            "二十零",
            "两十",
            "一百两",
            "一千零二百",
            "三二五",
            "一百一千",
            "百分之三",
            "一万万",
            "3万5",
            "1.23百5",
            "1.234百",
            "一百二三",
            "五零",
            "幺二三",
            "三点五",
            "1..5万",
            "十零五",
        ] {
            assert_eq!(cardinal(text), None, "{text}");
        }
    }
}

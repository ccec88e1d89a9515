//! hotline.yaml: languages, time zone, numbers, plugins, and the grants that go with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::tz::TimeZone;
use trunkline_model::{FlowName, Type};

use super::{trunks, world::World};
use crate::{
    diagnostics::{Code, Finding, did_you_mean},
    expression::typing::article,
    hotline::{Label, Number, Plugin},
    limits::NUMBER_CHARS_MAX,
    parse::{Grant, Signers},
    prove::HUMAN,
    source::Word,
    syntax::{NumberSyntax, PluginSyntax},
};

pub(super) fn languages(world: &World<'_>) {
    let mut seen = BTreeMap::new();
    let dialects = world.hotline.dialects.iter().map(|(dialect, _)| dialect);
    for word in world.hotline.languages.iter().chain(dialects) {
        let tag = word.as_str();
        let mut parts = tag.split('-');
        let primary = parts.next().unwrap_or_default();
        let fits = (2..=3).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_lowercase())
            && parts.all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if !fits {
            world.report(
                Finding::new(
                    Code::UnknownLanguage,
                    word.span,
                    format!("`{tag}` is no tag of a language"),
                )
                .help(match tag.to_lowercase().as_str() {
                    "chinese" | "中文" | "zh_cn" | "cn" => "write `zh-CN`",
                    "english" | "en_us" => "write `en`",
                    _ => "write a tag such as zh-CN, en or bo",
                }),
            );
        }
        if let Some(first) = seen.insert(tag, word.span) {
            world.report(
                Finding::new(
                    Code::DuplicateName,
                    word.span,
                    format!("`{tag}` stands here twice"),
                )
                .label(first, "the first time"),
            );
        }
    }
    if world.hotline.languages.is_empty()
        && let Some(name) = &world.hotline.name
    {
        world.report(
            Finding::new(
                Code::MissingField,
                name.span,
                "a hotline speaks at least one language",
            )
            .help("write `languages: [zh-CN]`"),
        );
    }
}

/// The dialects that lead to a language, and what each falls back to.
pub(super) fn dialects(declared: &[(Word, Word)], languages: &[Arc<str>]) -> BTreeMap<Arc<str>, Arc<str>> {
    let all: BTreeMap<Arc<str>, Arc<str>> = declared
        .iter()
        .filter(|(dialect, _)| !languages.contains(&dialect.value))
        .map(|(dialect, to)| (dialect.value.clone(), to.value.clone()))
        .collect();
    let leads_home = |dialect: &Arc<str>| {
        // A way longer than there are dialects goes in a circle.
        std::iter::successors(Some(dialect), |tag| all.get(*tag))
            .take(all.len() + 1)
            .any(|tag| languages.contains(tag))
    };
    all.iter()
        .filter(|(dialect, _)| leads_home(dialect))
        .map(|(dialect, to)| (dialect.clone(), to.clone()))
        .collect()
}

/// Dialects that fall back to what is not there, or to each other.
pub(super) fn fallbacks(world: &World<'_>) {
    let declared = &world.hotline.dialects;
    let next = |tag: &str| declared.iter().find(|(dialect, _)| dialect.as_str() == tag);
    for (dialect, to) in declared {
        let known = world.languages.contains(&to.value) || next(to.as_str()).is_some();
        if !known {
            let names = world.languages.iter().map(|language| &**language);
            let names = names.chain(declared.iter().map(|(dialect, _)| dialect.as_str()));
            world.report(
                Finding::new(
                    Code::UnknownLanguage,
                    to.span,
                    format!("the hotline has no language `{}` to fall back to", to.as_str()),
                )
                .help_if(did_you_mean("it has", to.as_str(), names)),
            );
            continue;
        }
        let round = std::iter::successors(next(to.as_str()), |(_, to)| next(to.as_str()))
            .take(declared.len())
            .any(|(other, _)| other.value == dialect.value);
        if round && !world.languages.contains(&dialect.value) {
            world.report(
                Finding::new(
                    Code::DialectCircle,
                    to.span,
                    format!(
                        "from `{}` one comes back to `{}`, and never to a language",
                        to.as_str(),
                        dialect.as_str()
                    ),
                )
                .help(match world.languages.first() {
                    Some(language) => format!("let one of them fall back to `{language}`"),
                    None => "let one of them fall back to a language".to_owned(),
                }),
            );
        }
    }
}

pub(super) fn time_zone(world: &World<'_>) -> Option<TimeZone> {
    let word = world.hotline.time_zone.as_ref()?;
    // Only named zones: what the clocks of a city show changes with its laws.
    let zone = TimeZone::get(word.as_str()).ok();
    if zone.is_none() {
        let names = [
            "Asia/Shanghai",
            "Asia/Urumqi",
            "Asia/Hong_Kong",
            "Asia/Taipei",
            "Asia/Tokyo",
            "Asia/Singapore",
            "Europe/London",
            "Europe/Berlin",
            "America/New_York",
            "UTC",
        ];
        world.report(
            Finding::new(
                Code::BadTimeZone,
                word.span,
                format!("there is no time zone `{}`", word.as_str()),
            )
            .help(
                did_you_mean("", word.as_str(), names)
                    .filter(|help| help.starts_with("did"))
                    .unwrap_or_else(|| "write a name such as Asia/Shanghai".to_owned()),
            ),
        );
    }
    zone
}

/// A number as it is dialled, if it is one.
fn digits(world: &World<'_>, number: &NumberSyntax) {
    let text = number.number.as_str();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let fits = (1..=NUMBER_CHARS_MAX).contains(&digits.len())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
    if !fits {
        world.report(
            Finding::new(
                Code::BadNumber,
                number.number.span,
                format!("`{text}` is no number that callers call"),
            )
            .help(
                "write its digits without spaces, with a + before a country code: \"12345\", \"+8657112345\"",
            ),
        );
    }
}

/// The language or dialect of the hotline that a word names.
pub(super) fn language<'w>(world: &'w World<'_>, word: &Word) -> Option<&'w Arc<str>> {
    let known = || world.languages.iter().chain(world.dialects.keys());
    let found = known().find(|language| **language == word.value);
    let declared = &world.hotline.dialects;
    // A dialect that leads nowhere has been reported where it is declared.
    if found.is_none() && !declared.iter().any(|(dialect, _)| dialect.value == word.value) {
        let names = known().map(|language| &**language);
        world.report(
            Finding::new(
                Code::UnknownLanguage,
                word.span,
                format!("the hotline has no language `{}`", word.as_str()),
            )
            .help_if(did_you_mean("its languages are", word.as_str(), names)),
        );
    }
    found
}

pub(super) fn numbers(world: &World<'_>) -> BTreeMap<Arc<str>, Number> {
    let mut numbers = BTreeMap::new();
    for number in &world.hotline.numbers {
        digits(world, number);
        let language = number
            .language
            .as_ref()
            .and_then(|word| language(world, word).cloned());
        let Some(flow) = &number.flow else { continue };
        if let Some(head) = world.flows.get(&flow.value) {
            let needed: Vec<&str> = head
                .inputs
                .iter()
                .filter(|(_, ty)| ty.as_ref().is_some_and(|ty| !ty.is_optional()))
                .map(|(name, _)| name.as_str())
                .collect();
            if !needed.is_empty() {
                world.report(
                    Finding::new(
                        Code::NumberNeedsInputs,
                        flow.span,
                        format!(
                            "the flow `{}` needs the inputs {}, which a number cannot give",
                            flow.as_str(),
                            crate::diagnostics::one_of(needed)
                        ),
                    )
                    .label(head.syntax.name.span, "the flow")
                    .help("make the inputs optional with `?`, or begin with a flow that runs this one"),
                );
            }
        } else if !world.broken_flows.contains(&flow.value) {
            unknown_flow(world, flow);
        }
        numbers.insert(
            number.number.value.clone(),
            Number {
                flow: FlowName::new(flow.value.clone()),
                language,
                department: number.department.as_ref().map(|word| word.value.clone()),
                merge: number.merge,
                before: before(world, number),
                trunks: number.trunks.as_ref().map(|words| trunks::named(world, words)),
                early: number.early,
            },
        );
    }
    numbers
}

/// The presses to each service before a number was merged; reports services that no step has.
fn before(world: &World<'_>, number: &NumberSyntax) -> BTreeMap<Arc<str>, u32> {
    for (service, _) in &number.before {
        let is_known = *service.value == *HUMAN || world.centre.services.contains(&service.value);
        if world.flows_are_whole() && !is_known {
            let names = world.centre.services.iter().map(|name| &**name).chain([HUMAN]);
            world.report(
                Finding::new(
                    Code::UnknownService,
                    service.span,
                    format!("no step is the service `{}`", service.as_str()),
                )
                .help(did_you_mean("there are", service.as_str(), names).unwrap_or_else(
                    || format!("mark the step where it begins: `service: {}`", service.as_str()),
                )),
            );
        }
    }
    let before = number.before.iter();
    before
        .map(|(service, presses)| (service.value.clone(), *presses))
        .collect()
}

pub(super) fn unknown_flow(world: &World<'_>, flow: &Word) {
    let names = world.flows.keys().chain(world.broken_flows).map(|name| &**name);
    world.report(
        Finding::new(
            Code::UnknownFlow,
            flow.span,
            format!("there is no flow `{}`", flow.as_str()),
        )
        .help(
            did_you_mean("there are", flow.as_str(), names)
                .unwrap_or_else(|| format!("write flows/{}.yaml", flow.as_str())),
        ),
    );
}

/// The calendar within whose hours callers are rung.
pub(super) fn calling_window(world: &World<'_>) -> Option<Arc<str>> {
    let word = world.hotline.calling_window.as_ref()?;
    world.calendar(word).then(|| word.value.clone())
}

/// The labels of what a plugin's functions give; reports what its types do not have.
fn labels(world: &World<'_>, plugin: &PluginSyntax) -> BTreeMap<Arc<str>, Label> {
    let Some(Some(interface)) = world.plugins.get(&plugin.name.value) else {
        return BTreeMap::new();
    };
    let mut labels = BTreeMap::new();
    for (path, label) in &plugin.labels {
        let mut parts = path.as_str().split('.');
        let name = parts.next().unwrap_or_default();
        let Some(ty) = interface.types.get(name) else {
            let names = interface.types.keys().map(|name| &**name);
            world.report(
                Finding::new(
                    Code::UnknownType,
                    path.span,
                    format!("the plugin `{}` has no type `{name}`", plugin.name.as_str()),
                )
                .help_if(did_you_mean("it has", name, names))
                .help("a label names a field by its path: `citizen.id: id-number`"),
            );
            continue;
        };
        let Some(of) = one_of_them(ty).name() else {
            // A second name of a text is not with the texts that functions give.
            world.report(
                Finding::new(
                    Code::UnknownType,
                    path.span,
                    format!(
                        "`{name}` is another name of {}, and no value can be told to be one",
                        article(ty)
                    ),
                )
                .help("a label names a field by its path: `citizen.id: id-number`"),
            );
            continue;
        };
        let mut inside = ty;
        let mut fields = Vec::new();
        let mut known = true;
        for part in parts {
            let of = one_of_them(inside);
            let Some(field) = of.field(part) else {
                known = false;
                let fields = match of {
                    Type::Record(record) => record.fields.as_slice(),
                    _ => &[],
                };
                let names = fields.iter().map(|field| &*field.name);
                world.report(
                    Finding::new(
                        Code::UnknownRecordField,
                        path.span,
                        format!("{} has no field `{part}`", article(of)),
                    )
                    .help_if(did_you_mean("it has", part, names)),
                );
                break;
            };
            fields.push(part.into());
            inside = field;
        }
        if known {
            let label = Label {
                kind: label.value.clone(),
                of: of.into(),
                fields,
            };
            labels.insert(path.value.clone(), label);
        }
    }
    labels
}

/// What a list, or what may be absent, holds.
fn one_of_them(ty: &Type) -> &Type {
    match ty {
        Type::List(inner) | Type::Option(inner) => one_of_them(inner),
        other => other,
    }
}

pub(super) fn plugins(world: &World<'_>, grants: &[Grant]) -> BTreeMap<trunkline_model::PluginName, Plugin> {
    let mut plugins = BTreeMap::new();
    for plugin in &world.hotline.plugins {
        if let Some(None) = world.plugins.get(&plugin.name.value)
            && plugin.component.is_some()
        {
            world.report(
                Finding::new(
                    Code::PluginNotLoaded,
                    plugin.name.span,
                    format!(
                        "the plugin `{}` is not loaded, so what depends on it was not judged",
                        plugin.name.as_str()
                    ),
                )
                .help("see what was reported of its component"),
            );
        }
        let labels = labels(world, plugin);
        let interface = world.plugins.get(&plugin.name.value).copied().flatten();
        let wanted = interface.and_then(|interface| interface.data.as_ref());
        let data = grants
            .iter()
            .filter(|grant| grant.plugin.value.as_str() == plugin.name.as_str())
            .flat_map(|grant| &grant.data)
            // What it does not want it does not get, whatever was granted.
            .filter(|label| wanted.is_none_or(|wanted| wanted.contains(&label.value)))
            .map(|label| label.value.clone())
            .collect();
        if let Some((component, department)) = plugin.component.as_ref().zip(plugin.department.as_ref()) {
            plugins.insert(
                plugin.name.as_str().into(),
                Plugin {
                    component: component.value.clone(),
                    department: department.value.clone(),
                    config: plugin
                        .config
                        .iter()
                        .map(|(name, value)| (name.value.to_string(), value.value.to_string()))
                        .collect(),
                    labels,
                    success: plugin.success,
                    data,
                },
            );
        }
    }
    plugins
}

/// Grants for plugins that are not there.
pub(super) fn grants(world: &World<'_>, grants: &[Grant]) {
    let declared: BTreeSet<&str> = world.plugins.keys().map(|name| &**name).collect();
    for grant in grants {
        let name = grant.plugin.value.as_str();
        if !declared.contains(name) {
            world.report(
                Finding::new(
                    Code::GrantWithoutPlugin,
                    grant.plugin.span,
                    format!("hotline.yaml declares no plugin `{name}`"),
                )
                .help_if(did_you_mean("there are", name, declared.iter().copied())),
            );
        }
    }
}

/// Departments that sign, and of which there is no plugin: likely a slip, by which nobody would have
/// to sign.
pub(super) fn signers(world: &World<'_>, signers: &[Signers], grants: &[Grant]) {
    let said = world.hotline.plugins.iter().map(|plugin| &plugin.department);
    let bound = grants.iter().map(|grant| &grant.department);
    let known: BTreeSet<&str> = said.chain(bound).flatten().map(Word::as_str).collect();
    for signers in signers {
        let department = signers.department.as_str();
        if !known.contains(department) {
            world.report(
                Finding::new(
                    Code::BadGrant,
                    signers.department.span,
                    format!("no plugin is of the department `{department}`"),
                )
                .help(
                    did_you_mean("there are", department, known.iter().copied())
                        .unwrap_or_else(|| "remove it until there is one".to_owned()),
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::harness::assert_findings;

    #[test]
    fn languages_zone_numbers_and_plugins() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: Test
#        ^^^^ TL0107: `Test` cannot be the name of a hotline
languages: [zh-CN, chinese, zh-CN]
#                  ^^^^^^^ TL0111: `chinese` is no tag of a language
#                           ^^^^^ TL0109: `zh-CN` stands here twice
time-zone: Asia/Shanghia
#          ^^^^^^^^^^^^^ TL0113: there is no time zone `Asia/Shanghia`
numbers:
  "12 345": { flow: main }
# ^^^^^^^^ TL0112: `12 345` is no number
  "12345": { flow: mian, language: fr, merge: both }
#                  ^^^^ TL0102: there is no flow `mian`
#                                  ^^ TL0111: the hotline has no language `fr`
#                                             ^^^^ TL0010: `both` is no way of merging
  "12329": { flow: helper, fow: x }
#                  ^^^^^^ TL0313: the flow `helper` needs the inputs `id`
#                          ^^^ TL0006: a number has no field `fow`
plugins:
  crm: { component: ../crm.wasm, department: civil }
#                   ^^^^^^^^^^^ TL0703: `../crm.wasm` leaves the hotline's folder
  gone: { component: plugins/gone.wasm, department: civil }
# ^^^^ TL0701: the plugin `gone` is not loaded
  sentiment: { component: plugins/sentiment.wasm, department: centre, labels: { moood: mood, mood.lvel: mood, mood.level: Mood } }
#                                                                               ^^^^^ TL0110: the plugin `sentiment` has no type `moood`
#                                                                                            ^^^^^^^^^ TL0204: a mood has no field `lvel`
#                                                                                                                         ^^^^ TL0107: `Mood` cannot be the name of a kind of personal data
calling-window: nigth
#               ^^^^^ TL0601: there is no calendar `nigth`
--- grants.yaml
crn: { http: [] }
# TL0704: hotline.yaml declares no plugin `crn`
crm: { htpp: [] }
#      ^^^^ TL0006: a grant has no field `htpp`
--- prompts/chinese.yaml
a: b
#  ^ TL0403: nothing says the prompt `a`
--- flows/main.yaml
flow: main
start: a
steps: { a: { end: completed } }
--- flows/helper.yaml
flow: helper
inputs: { id: string }
start: a
steps: { a: { end: completed } }
"##,
        );
    }

    #[test]
    fn packages_and_who_signs_them() {
        assert_findings(
            r##"
--- hotline.yaml
hotline: test
languages: [zh-CN, en]
time-zone: Asia/Shanghai
numbers: { "12345": { flow: main } }
plugins:
  crm: { component: oci://registry.example/civil/crm@1.4.2, department: civil }
  sentiment: { component: packages/sentiment.tlpkg, department: centre }
  nlu: { component: oci://registry.example/nlu, department: centre }
#                   ^^^^^^^^^^^^^^^^^^^^^^^^^^ TL0703: `oci://registry.example/nlu` does not say which package
  twice: { component: https://registry.example/twice.wasm, department: centre }
#                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ TL0703: packages are fetched from registries of OCI only
  departments: { component: plugins/departments.wasm, department: centre }
# ^^^^^^^^^^^ TL0107: a plugin cannot be called `departments`
# ^^^^^^^^^^^ TL0701: the plugin `departments` is not loaded
--- grants.yaml
departments:
  civil: { signed-by: keys/civil.pub }
  centre: { signed-by: [keys/old.pub, /etc/keys/new.pub] }
#                                     ^^^^^^^^^^^^^^^^^ TL0702: `/etc/keys/new.pub` is no path in the hotline's folder
  centr: { signed-by: keys/centre.pub }
# ^^^^^ TL0702: no plugin is of the department `centr`
  tax: { singed-by: keys/tax.pub }
# ^^^ TL0007: a department needs `signed-by`
# ^^^ TL0702: no plugin is of the department `tax`
#        ^^^^^^^^^ TL0006: a department has no field `singed-by`
crm: { kv: true, department: civil }
--- flows/main.yaml
flow: main
start: a
steps: { a: { end: completed } }
"##,
        );
    }
}

//! Signatures that a component claims in words rather than exports: WIT, read into what flows are
//! checked against.

use std::panic::{AssertUnwindSafe, catch_unwind};

use trunkline_model::{FunctionName, Parameter, Signature, signature::Interface};
use wit_parser::{FunctionKind, Resolve, UnresolvedPackageGroup};

use super::{
    full_name,
    names::{Names, Nodes},
    outcome_types, own_name,
};
use crate::{
    LoadError,
    limits::{ALL_TYPE_NODES_MAX, FUNCTIONS_MAX, TYPE_DEPTH_MAX, TYPE_NODES_MAX},
    shape::snake_case,
};

/// What a file of claims is called in messages.
const FILE: &str = "description";

/// Reads the interface that a text of WIT claims. Takes up to a second for what a hostile one says: not for a
/// thread that has other things to do.
pub(crate) fn claimed(text: &str) -> Result<Interface, LoadError> {
    let claim = |reason: String| LoadError::Claim { reason };
    // The reader has been written for files of a developer's own and may panic on others.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut resolve = Resolve::default();
        let group = UnresolvedPackageGroup::parse(FILE, text).map_err(|(map, error)| error.render(&map))?;
        let package = resolve.push_group(group).map_err(|error| error.to_string())?;
        Ok((resolve, package))
    }));
    let (resolve, package) = read
        .unwrap_or_else(|_| Err("it cannot be read".to_owned()))
        .map_err(|reason| claim(format!("the description is no WIT package: {reason}")))?;
    let mut functions = Vec::new();
    let interfaces = resolve.packages[package].interfaces.values();
    for (id, function) in interfaces.flat_map(|id| {
        resolve.interfaces[*id]
            .functions
            .values()
            .map(move |function| (*id, function))
    }) {
        functions.push((resolve.id_of(id), function.clone()));
    }
    let names = Names::of_package(resolve, package);
    let mut interface = Interface::default();
    let mut nodes = Nodes::of_description();
    let all_too_many = || {
        claim(format!(
            "its functions and named types hold more than {ALL_TYPE_NODES_MAX} types in all"
        ))
    };
    for (id, function) in functions {
        let id = id.ok_or_else(|| claim("an interface of it has no name".to_owned()))?;
        let path = format!("{}.{}", own_name(&id), function.name);
        if !matches!(function.kind, FunctionKind::Freestanding) {
            return Err(claim(format!(
                "`{path}` is no plain function: it is asynchronous, or belongs to a resource"
            )));
        }
        if interface.functions.len() == FUNCTIONS_MAX {
            return Err(LoadError::TooManyFunctions);
        }
        nodes.next();
        let mut carried = |ty| match names.carried(ty, &mut nodes) {
            Some(ty) => Ok(ty),
            None if nodes.are_too_many() => Err(all_too_many()),
            None => Err(claim(format!(
                "a type of `{path}` is none that flows carry (plain values only, no resources, streams or \
                 futures), or its types are more than {TYPE_NODES_MAX} or more than {TYPE_DEPTH_MAX} deep"
            ))),
        };
        let parameters = function
            .params
            .iter()
            .map(|parameter| {
                Ok(Parameter {
                    name: snake_case(&parameter.name),
                    ty: carried(&parameter.ty)?,
                })
            })
            .collect::<Result<_, LoadError>>()?;
        let (ok, errors) = outcome_types(function.result.as_ref().map(&mut carried).transpose()?);
        interface.functions.push(Signature {
            function: FunctionName::new(full_name(Some(&id), &function.name)),
            interface: Some(own_name(&id)),
            name: function.name.as_str().into(),
            parameters,
            ok,
            errors,
            docs: function.docs.contents.map(|docs| docs.trim().to_owned()),
        });
    }
    if interface.functions.is_empty() {
        return Err(claim(
            "it describes no function; the description needs an interface with one".to_owned(),
        ));
    }
    interface.types = names.types(&mut nodes);
    if nodes.are_too_many() {
        return Err(all_too_many());
    }
    Ok(interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_an_export_would_be() {
        let interface = claimed(
            "package hotline:rules@1.0.0;
             interface decisions {
               enum urgency { low, very-high }
               record office { name: string, open-from: option<u8>, urgency: urgency }
               variant no { no-rule, needs(list<string>) }
               /// Which office takes it.
               decide: func(district: string, matter: option<string>) -> result<office, no>;
               count: func() -> u32;
             }",
        )
        .unwrap();
        let shown: Vec<_> = interface.functions.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown[0],
            "decisions.decide(district: string, matter: string?) -> office or no-rule | needs(list<string>)"
        );
        assert_eq!(
            interface.functions[0].docs.as_deref(),
            Some("Which office takes it.")
        );
        assert_eq!(
            interface.functions[0].function.as_str(),
            "hotline:rules/decisions@1.0.0#decide"
        );
        assert_eq!(interface.functions[1].name.as_ref(), "count");
        assert_eq!(
            interface.types.keys().map(|name| &**name).collect::<Vec<_>>(),
            ["no", "office", "urgency"]
        );
    }

    #[test]
    fn what_cannot_be_claimed_is_said() {
        for (text, said) in [
            ("", "no WIT package"),
            ("package a:b; interface i { f: func( -> u32; }", "no WIT package"),
            (
                "package a:b; interface i { use c:d/e.{t}; f: func(x: t); }",
                "no WIT package",
            ),
            ("package a:b; interface i { record r { x: u8 } }", "no function"),
            (
                "package a:b; interface i { resource r; f: func(x: borrow<r>); }",
                "none that flows carry",
            ),
            (
                "package a:b; interface i { resource r { f: func(); } }",
                "no plain function",
            ),
            (
                "package a:b; interface i { f: func(x: stream<u8>); }",
                "none that flows carry",
            ),
            (
                "package a:b; interface i { f: async func(); }",
                "no plain function",
            ),
        ] {
            let error = claimed(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn types_are_counted_over_the_whole_description() {
        let wide: String = (0..2_000).map(|at| format!("x{at}: u8, ")).collect();
        let wide = format!("record wide {{ {wide} }}");
        let parameters: String = (0..5_000).map(|at| format!("p{at}: wide, ")).collect();
        let functions: String = (0..100).map(|at| format!("x{at}: func() -> wide; ")).collect();
        let named: String = (0..100).map(|at| format!("type n{at} = wide; ")).collect();
        let deep = |depth: usize| -> String {
            let aliases = (1..depth).map(|at| format!("type t{at} = list<t{}>; ", at - 1));
            aliases.collect()
        };
        let enums: String = (0..5_000).map(|at| format!("c{at}, ")).collect();
        for (text, said) in [
            (format!("{wide} f: func({parameters});"), "more than 4096"),
            (format!("{wide} {functions}"), "65536 types in all"),
            (format!("{wide} f: func(); {named}"), "65536 types in all"),
            (
                format!("type t0 = u8; {} f: func() -> t3999;", deep(4_000)),
                "more than 100 deep",
            ),
            (format!("enum e {{ {enums} }} f: func() -> e;"), "more than 4096"),
        ] {
            let error = claimed(&format!("package a:b; interface i {{ {text} }}"))
                .unwrap_err()
                .to_string();
            assert!(error.contains(said), "{error}");
        }
        let within = format!("type t0 = u8; {} f: func() -> t49;", deep(50));
        let within = claimed(&format!("package a:b; interface i {{ {within} }}")).unwrap();
        assert_eq!(within.types.len(), 50);
        // Named types that nothing uses are left out where they are too deep.
        let unused = format!("type t0 = u8; {} f: func();", deep(500));
        let unused = claimed(&format!("package a:b; interface i {{ {unused} }}")).unwrap();
        assert!((40..=100).contains(&unused.types.len()), "{}", unused.types.len());
    }
}

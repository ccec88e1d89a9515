//! How much work a component's code gives the compiler, told before it is compiled.
//!
//! Compiling takes time in proportion to code, and more than that where a function has many
//! variables that live across many branches: a few hundred kilobytes can be made to take hours.
//! A compiler cannot be stopped half-way, so what would take too long is not begun.

use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::{
    LoadError,
    limits::{CODE_FUNCTIONS_MAX, FUNCTION_TANGLE_MAX, TANGLE_MAX},
};

/// What the compiler will be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Complexity {
    /// Functions of all modules.
    pub(crate) functions: u64,
    /// The sum of all functions' tangles.
    pub(crate) tangle: u64,
    /// The most tangled function: its branches times its variables.
    pub(crate) tangle_max: u64,
}

/// Reads what the compiler will be given. Code that cannot be read is left for the validator to
/// complain of.
pub(crate) fn complexity(bytes: &[u8]) -> Complexity {
    let mut complexity = Complexity::default();
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    for payload in payloads {
        if let Payload::CodeSectionEntry(body) = payload {
            let tangle = tangle(&body);
            complexity.functions += 1;
            complexity.tangle = complexity.tangle.saturating_add(tangle);
            complexity.tangle_max = complexity.tangle_max.max(tangle);
        }
    }
    complexity
}

/// Branches of a function times its variables, which is how many the compiler may have to join.
fn tangle(body: &FunctionBody<'_>) -> u64 {
    let mut variables = 1_u64;
    if let Ok(locals) = body.get_locals_reader() {
        for (count, _) in locals.into_iter().map_while(Result::ok) {
            variables = variables.saturating_add(count.into());
        }
    }
    let mut branches = 1_u64;
    if let Ok(operators) = body.get_operators_reader() {
        for operator in operators.into_iter().map_while(Result::ok) {
            branches += match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::Else => 1,
                Operator::Br { .. } | Operator::BrIf { .. } => 1,
                Operator::BrTable { targets } => u64::from(targets.len()),
                _ => 0,
            };
        }
    }
    branches.saturating_mul(variables)
}

/// Refuses what would keep the compiler for too long.
pub(crate) fn check(bytes: &[u8]) -> Result<(), LoadError> {
    let found = complexity(bytes);
    let most = |what: &str, found: u64, most: u64| {
        if found > most {
            Err(LoadError::TooComplex {
                reason: format!("it has {found} {what}, and the most is {most}"),
            })
        } else {
            Ok(())
        }
    };
    most("functions in its code", found.functions, CODE_FUNCTIONS_MAX)?;
    most(
        "branches times variables in one function",
        found.tangle_max,
        FUNCTION_TANGLE_MAX,
    )?;
    most(
        "branches times variables in all functions together",
        found.tangle,
        TANGLE_MAX,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(module: &str) -> Complexity {
        complexity(&wat::parse_str(format!("(component (core module {module}))")).expect("well-formed text"))
    }

    #[test]
    fn branches_and_variables_make_a_tangle() {
        assert_eq!(of("").functions, 0);
        let straight = of("(func (param i32) (local i64 i64) (drop (i32.const 1)))");
        assert_eq!((straight.functions, straight.tangle), (1, 3));
        let branched = of("(func (local i64 i64) (block (br_if 0 (i32.const 1))) (if (i32.const 0) (then)))");
        assert_eq!(branched.tangle, 4 * 3);
        let table = of("(func (block (block (br_table 0 1 0 1 (i32.const 0)))))");
        assert_eq!(table.tangle, 1 + 2 + 3);
    }

    #[test]
    fn what_cannot_be_read_is_left_for_the_validator() {
        assert_eq!(complexity(b"nonsense"), Complexity::default());
    }
}

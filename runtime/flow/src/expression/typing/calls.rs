//! Types of functions that are used.

use trunkline_model::{Type, Value};

use super::{
    super::{
        Op,
        functions::{FUNCTIONS, Function},
        literal,
        syntax::{Kind, Name, Tree},
    },
    Typist, article,
};
use crate::diagnostics::{Code, did_you_mean};

impl Typist<'_> {
    pub(super) fn call(
        &mut self,
        name: &Name,
        of: Option<&Tree>,
        parts: &[Tree],
        tree: &Tree,
    ) -> (Op, Option<Type>) {
        let nothing = (Op::Constant(Value::None), None);
        if &*name.text == "has" && of.is_none() {
            return self.has(parts, tree);
        }
        let usage = FUNCTIONS
            .iter()
            .find(|usage| usage.name == &*name.text && usage.method == of.is_some());
        let Some(usage) = usage else {
            let other = FUNCTIONS.iter().find(|usage| usage.name == &*name.text);
            let help = match other {
                Some(other) => Some(format!("write {}", other.example)),
                None => {
                    let names = FUNCTIONS.iter().map(|usage| usage.name).chain(["has"]);
                    did_you_mean("there are", &name.text, names)
                }
            };
            let message = format!("there is no function `{}` that is used like this", name.text);
            self.complain(Code::WrongFunctionUse, &name.range, message, help);
            return nothing;
        };
        let given = parts.len() + usize::from(of.is_some());
        let arguments = if of.is_some() {
            parts
        } else {
            parts.get(1..).unwrap_or_default()
        };
        if given == 0 || arguments.len() < usage.required || arguments.len() > usage.arguments.len() {
            let message = format!("`{}` is used like {}", usage.name, usage.example);
            self.complain(Code::WrongFunctionUse, &tree.range, message, None);
            return nothing;
        }
        let subject = of.unwrap_or_else(|| &parts[0]);
        let typed = self.required(subject);
        let mut nodes = vec![typed.node];
        for (part, wanted) in arguments.iter().zip(usage.arguments) {
            nodes.push(self.expect(part, wanted));
        }
        let ty = typed.ty.and_then(|ty| {
            let result = usage.function.result(&ty);
            if result.is_none() {
                let message = format!(
                    "`{}` takes {}, not {}",
                    usage.name,
                    usage.function.takes(),
                    article(&ty)
                );
                let help = Some(format!("it is used like {}", usage.example));
                self.complain(Code::WrongFunctionUse, &subject.range, message, help);
            }
            result
        });
        if let (
            Kind::Text(text),
            Function::Date | Function::Duration | Function::Int | Function::Decimal,
            Some(ty),
        ) = (&subject.kind, usage.function, &ty)
            && let Err(problem) = literal::read(text.trim(), ty)
        {
            self.problem(&subject.range, problem);
        }
        (Op::Function(usage.function, nodes), ty)
    }

    fn has(&mut self, parts: &[Tree], tree: &Tree) -> (Op, Option<Type>) {
        let [path] = parts else {
            let message = "`has` tests one value: has(citizen)".to_owned();
            self.complain(Code::WrongFunctionUse, &tree.range, message, None);
            return (Op::Constant(Value::None), None);
        };
        if !matches!(path.kind, Kind::Name(_) | Kind::Field(..) | Kind::Index(..)) {
            let message = "`has` tests a variable or a field".to_owned();
            let help = Some("write has(citizen) or has(citizen.district)".to_owned());
            self.complain(Code::WrongFunctionUse, &path.range, message, help);
        }
        let testing = std::mem::replace(&mut self.testing, true);
        let typed = self.infer(path);
        self.testing = testing;
        (Op::Has(Box::new(typed.node)), Some(Type::Bool))
    }
}

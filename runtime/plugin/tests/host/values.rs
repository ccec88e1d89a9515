//! Values of every type go through a real guest and come back as they went.

use trunkline_model::{FaultKind, Outcome, Type, Value};

use crate::guests::{adversary, answer, call, case, fault, host, int, least};

fn citizen(district: Value) -> Value {
    Value::record([
        ("id", Value::text("c-1")),
        ("date_of_birth", Value::list([int(1971), int(2), int(3)])),
        ("phones", Value::list([Value::text("+8613800138000")])),
        ("district", district),
    ])
}

#[tokio::test]
async fn what_is_passed_comes_back() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    let texts = |texts: &[&str]| Value::list(texts.iter().map(|&text| Value::text(text)));
    let echoed = [
        ("boolean", Value::Bool(true)),
        ("character", Value::text("龙")),
        ("text", Value::text("王芳 🙂 \0 end")),
        ("text", Value::text("")),
        ("bytes", Value::list([int(0), int(255)])),
        (
            "citizens",
            Value::list([citizen(Value::text("西湖")), citizen(Value::None)]),
        ),
        (
            "shapes",
            Value::list([
                case("dot", None),
                case("circle", Some(Value::Decimal(-0.5))),
                case("polygon", Some(Value::list([Value::list([int(-1), int(2)])]))),
            ]),
        ),
        ("moods", texts(&["very-angry", "calm"])),
        ("channel-set", texts(&["phone", "e-mail"])),
        ("channel-set", texts(&[])),
        ("maybe", Value::None),
        ("maybe", int(7)),
        ("maybe-maybe", Value::None),
        ("maybe-maybe", case("some", Some(Value::None))),
        ("maybe-maybe", case("some", Some(int(7)))),
        (
            "results",
            Value::list([case("ok", Some(int(1))), case("error", Some(Value::text("no")))]),
        ),
        (
            "empty-results",
            Value::list([case("ok", None), case("error", None)]),
        ),
        (
            "nested",
            Value::list([
                Value::list([]),
                Value::list([Value::list([Value::None, texts(&["deep"])])]),
            ]),
        ),
    ];
    for (function, value) in echoed {
        let outcome = call(&plugin, function, [value.clone()]).await;
        assert_eq!(outcome, Outcome::Ok(value), "{function}");
    }
    assert_eq!(call(&plugin, "nothing", []).await, Outcome::Ok(Value::None));
    assert_eq!(answer(call(&plugin, "add", [int(2), int(-5)]).await), int(-3));
}

#[tokio::test]
async fn numbers_keep_every_digit() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    for edge in [
        [
            i8::MIN.into(),
            u8::MAX.into(),
            i16::MIN.into(),
            u16::MAX.into(),
            i32::MIN.into(),
            u32::MAX.into(),
            i64::MIN.into(),
            u64::MAX.into(),
        ],
        [1, 2, 3, 4, 5, 6, (1 << 53) + 1, (1 << 53) + 1_i128],
    ] {
        let numbers: Vec<_> = edge.into_iter().map(int).collect();
        let outcome = call(&plugin, "all-ints", numbers.clone()).await;
        assert_eq!(answer(outcome), Value::list(numbers));
    }
    let outcome = call(&plugin, "floats", [Value::Decimal(0.5), int(3)]).await;
    assert_eq!(
        answer(outcome),
        Value::list([Value::Decimal(0.5), Value::Decimal(3.0)])
    );
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    let ints = |h: i128| [1, 1, 1, 1, 1, 1, 1, h].map(int);
    for (function, arguments, said) in [
        (
            "text",
            vec![int(1)],
            "argument `value` of `echoes.text` should be string, not int",
        ),
        (
            "text",
            vec![],
            "argument `value` of `echoes.text` should be string, not nothing",
        ),
        (
            "character",
            vec![Value::text("ab")],
            "should be char, not a text of another length",
        ),
        (
            "all-ints",
            ints(-1).to_vec(),
            "argument `h` of `echoes.all-ints` should be u64, not -1",
        ),
        (
            "all-ints",
            ints(1 << 64).to_vec(),
            "should be u64, not 18446744073709551616",
        ),
        (
            "floats",
            vec![Value::Decimal(f64::NAN), int(1)],
            "argument `narrow` of `echoes.floats` should be decimal, not NaN",
        ),
        (
            "floats",
            vec![Value::Decimal(1e300), int(1)],
            "should be decimal, not 1000",
        ),
        (
            "floats",
            vec![int(0), int((1 << 53) + 1)],
            "should be decimal, not 9007199254740993",
        ),
        (
            "moods",
            vec![Value::list([Value::text("calm"), Value::text("bored")])],
            "argument `value[1]` of",
        ),
        (
            "channel-set",
            vec![Value::list([Value::text("fax")])],
            "not \"fax\"",
        ),
        (
            "shapes",
            vec![Value::list([case("circle", None)])],
            "\"circle\" without its payload",
        ),
        (
            "shapes",
            vec![Value::list([case("dot", Some(int(1)))])],
            "\"dot\" with a payload",
        ),
        (
            "citizens",
            vec![Value::list([Value::record([("id", Value::text("c"))])])],
            "a record without `date_of_birth`",
        ),
        ("add", vec![int(1), int(2), int(3)], "takes 2 arguments, not 3"),
    ] {
        let (kind, message) = fault(call(&plugin, function, arguments).await);
        assert_eq!(kind, FaultKind::Host, "{message}");
        assert!(message.contains(said), "{message}");
    }
    // A field that is not there, and one too many.
    let Value::Record(fields) = citizen(int(5)) else {
        unreachable!()
    };
    let (_, message) = fault(call(&plugin, "citizens", [Value::list([Value::Record(fields)])]).await);
    assert!(message.contains("[0].district"), "{message}");
}

#[tokio::test]
async fn optional_parts_may_be_left_out() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    assert_eq!(answer(call(&plugin, "maybe", []).await), Value::None);
    assert_eq!(
        answer(call(&plugin, "maybe-maybe", [int(7)]).await),
        case("some", Some(int(7)))
    );
    let Value::Record(fields) = citizen(Value::None) else {
        unreachable!()
    };
    let mut fields = (*fields).clone();
    fields.remove("district");
    let given = Value::Record(fields.into());
    assert_eq!(
        answer(call(&plugin, "citizens", [Value::list([given])]).await),
        Value::list([citizen(Value::None)])
    );
}

#[tokio::test]
async fn refusals_are_typed_edges() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    let refused = async |function: &str, argument: Value| {
        let arguments = if argument.is_none() {
            vec![]
        } else {
            vec![argument]
        };
        match call(&plugin, function, arguments).await {
            Outcome::Refusal(refusal) => (refusal.case.to_string(), refusal.payload),
            other => panic!("no refusal but {other:?}"),
        }
    };
    assert_eq!(
        refused("find", "not-found".into()).await,
        ("not-found".into(), Value::None)
    );
    assert_eq!(
        refused("find", "ambiguous".into()).await,
        ("ambiguous".into(), int(3))
    );
    assert_eq!(
        refused("find", "broken".into()).await,
        ("broken".into(), citizen(Value::None))
    );
    assert_eq!(
        answer(call(&plugin, "find", [Value::text("x")]).await),
        citizen(Value::None)
    );
    assert_eq!(
        refused("refuse-by-name", "too-late".into()).await,
        ("too-late".into(), Value::None)
    );
    assert_eq!(
        refused("refuse-in-words", "not today".into()).await,
        ("refused".into(), "not today".into())
    );
    assert_eq!(
        refused("refuse-silently", Value::None).await,
        ("refused".into(), Value::None)
    );
}

#[tokio::test]
async fn signatures_are_read_with_their_names() {
    let host = host();
    let plugin = adversary(&host, "echo", least()).await;
    let interface = plugin.interface();
    let signature = |name: &'static str| interface.find(name).next().unwrap();

    let find = signature("find");
    assert_eq!(find.function.as_str(), "trunkline:adversary/echoes@0.1.0#find");
    assert_eq!(find.interface.as_deref(), Some("echoes"));
    assert_eq!(
        find.to_string(),
        "echoes.find(how: string) -> citizen or not-found | ambiguous(u32) | broken(citizen)"
    );
    assert_eq!(
        find.docs.as_deref(),
        Some("Says no in the way that is asked for, or answers.")
    );
    assert_eq!(
        signature("refuse-in-words").to_string(),
        "echoes.refuse-in-words(words: string) or refused(string)"
    );
    let add = signature("add");
    assert_eq!((add.function.as_str(), &add.interface), ("add", &None));
    assert_eq!(add.docs.as_deref(), Some("A function of the world itself: adds."));
    assert_eq!(
        signature("all-ints")
            .parameters
            .iter()
            .map(|parameter| parameter.ty.to_string())
            .collect::<Vec<_>>(),
        ["s8", "u8", "s16", "u16", "s32", "u32", "int", "u64"]
    );
    let Some(Type::Record(citizen)) = interface.types.get("citizen") else {
        panic!("{:?}", interface.types)
    };
    assert_eq!(citizen.name.as_deref(), Some("citizen"));
    assert_eq!(
        citizen
            .fields
            .iter()
            .map(|field| format!("{}: {}", field.name, field.ty))
            .collect::<Vec<_>>(),
        [
            "id: string",
            "date_of_birth: tuple<u16, u8, u8>",
            "phones: list<string>",
            "district: string?"
        ]
    );
    for name in ["shape", "mood", "channels", "lookup-error", "refusal"] {
        assert!(interface.types.contains_key(name), "{name}");
    }
}

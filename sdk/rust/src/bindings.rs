//! The host's interfaces as wit-bindgen makes them, in a component. `host` alone names them.

wit_bindgen::generate!({
    path: "../../wit/host-0.1.0",
    inline: "
        package trunkline:sdk@0.1.0;

        world host {
            import trunkline:host/call@0.1.0;
            import trunkline:host/log@0.1.0;
            import trunkline:host/config@0.1.0;
            import trunkline:host/kv@0.1.0;
            import trunkline:host/secrets@0.1.0;
        }
    ",
    world: "trunkline:sdk/host",
    generate_all,
});

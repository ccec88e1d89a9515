//! Temporary measurement.
use crate::guests::*;
use std::time::Duration as Std;
use trunkline_model::{CallId, Duration, Value};
use trunkline_plugin::Call;
use wasmtime::{component::*, *};

#[test]
#[ignore = "a measurement"]
fn measure() {
    let rt = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    rt.block_on(async {
        let host = host();
        let plugin = adversary(&host, "speed", least()).await;
        for (name, arguments) in [
            ("add", vec![int(1), int(2)]),
            ("find", vec![Value::text("yes")]),
            ("setting", vec![Value::text("region")]),
            ("work", vec![int(2)]),
        ] {
            let signature = plugin.interface().find(name).next().unwrap().function.clone();
            let n = if name == "work" { 200 } else { 20_000 };
            let mut times = Vec::new();
            for i in 0..n + n / 10 {
                let call = Call {
                    function: signature.clone(),
                    arguments: arguments.clone(),
                    id: CallId::new("01j-1"),
                    attempt: 1,
                    locale: "zh-CN".into(),
                    time: Duration::from_secs(3),
                };
                let began = std::time::Instant::now();
                std::hint::black_box(plugin.call(call).await);
                if i > n / 10 {
                    times.push(began.elapsed());
                }
            }
            times.sort();
            println!(
                "{name}: median {:?} p99 {:?} mean {:?}",
                times[times.len() / 2],
                times[times.len() * 99 / 100],
                times.iter().sum::<Std>() / times.len() as u32
            );
        }
        // raw
        let mut pool = PoolingAllocationConfig::new();
        pool.linear_memory_keep_resident(2 << 20)
            .table_keep_resident(64 << 10)
            .pagemap_scan(Enabled::Auto)
            .max_unused_warm_slots(100);
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).unwrap();
        struct S {
            wasi: wasmtime_wasi::WasiCtx,
            table: ResourceTable,
        }
        let component = Component::from_binary(&engine, &ADVERSARY).unwrap();
        let mut linker: Linker<S> = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let pre = linker.instantiate_pre(&component).unwrap();
        let echoes = component
            .get_export_index(None, "trunkline:adversary/echoes@0.1.0")
            .unwrap();
        let find = component.get_export_index(Some(&echoes), "text").unwrap();
        for name in ["add", "text", "text+wasi"] {
            let mut times = Vec::new();
            for i in 0..22_000 {
                let began = std::time::Instant::now();
                let wasi = if name == "text+wasi" {
                    wasmtime_wasi::WasiCtx::builder().build()
                } else {
                    wasmtime_wasi::WasiCtx::builder().build()
                };
                let mut store = Store::new(
                    &engine,
                    S {
                        wasi,
                        table: ResourceTable::new(),
                    },
                );
                store.set_epoch_deadline(1_000_000);
                let instance = pre.instantiate_async(&mut store).await.unwrap();
                if name == "add" {
                    let f = instance
                        .get_typed_func::<(i32, i32), (i32,)>(&mut store, "add")
                        .unwrap();
                    std::hint::black_box(f.call_async(&mut store, (1, 2)).await.unwrap());
                } else {
                    let f = instance
                        .get_typed_func::<(&str,), (String,)>(&mut store, &find)
                        .unwrap();
                    std::hint::black_box(f.call_async(&mut store, ("yes",)).await.unwrap());
                }
                drop(store);
                if i > 2_000 {
                    times.push(began.elapsed());
                }
            }
            times.sort();
            println!(
                "raw {name}: median {:?} p99 {:?} mean {:?}",
                times[times.len() / 2],
                times[times.len() * 99 / 100],
                times.iter().sum::<Std>() / times.len() as u32
            );
        }
    });
}

//! How long a look-up takes, by the number of routes. The control is what Starlette does, in Rust: one anchored regular
//! expression after the other. Building the index is outside the measured region; the vector for the answer is reused.
#![allow(missing_docs, reason = "what criterion's macros write has no documentation")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use regex::Regex;
use wire::{Candidates, Convertor, Pattern, Router, RouterBuilder, Template};

const SIZES: [usize; 3] = [10, 500, 10_000];

fn template(text: &str) -> Template {
    let convertor = |name: &str| if name == "int" { Some(Convertor::Int) } else { Some(Convertor::Str) };
    Template::parse(text, convertor).expect("a template")
}

/// Routes of an ordinary API: five for each resource.
fn templates(count: usize) -> Vec<String> {
    let shapes = ["", "/{id:int}", "/{id:int}/items", "/{id:int}/items/{item}", "/export.{format}"];
    (0..count).map(|n| format!("/api/v1/resource{}{}", n / shapes.len(), shapes[n % shapes.len()])).collect()
}

fn router(count: usize) -> Router {
    let mut builder = RouterBuilder::new();
    for text in templates(count) {
        builder.insert(Pattern::Route(template(&text)));
    }
    builder.build()
}

fn look_up(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("router");
    for size in SIZES {
        let router = router(size);
        let last = size / 5 - 1;
        let paths = [
            ("static", format!("/api/v1/resource{last}"), 1),
            ("parameters", format!("/api/v1/resource{last}/42/items/blue"), 1),
            ("regex", format!("/api/v1/resource{last}/export.csv"), 1),
            ("miss", format!("/api/v1/resource{last}/42/nothing"), 0),
        ];
        for (name, path, expected) in paths {
            let mut found = Candidates::new();
            router.candidates(&path, &mut found);
            assert_eq!(found.len(), expected, "{path}");
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    router.candidates(black_box(&path), &mut found);
                    found.len()
                });
            });
        }
    }
    group.finish();
}

fn control(criterion: &mut Criterion) {
    let regex = |text: &String| {
        let source = text.replace("{id:int}", "([0-9]+)").replace("{item}", "([^/]+)").replace("{format}", "([^/]+)");
        Regex::new(&format!(r"\A{source}\n?\z")).expect("an expression")
    };
    let regexes: Vec<Regex> = templates(500).iter().map(regex).collect();
    let path = "/api/v1/resource99/42/items/blue";
    criterion.bench_function("control: linear regexes/parameters/500", |bencher| {
        bencher.iter(|| regexes.iter().find_map(|regex| regex.captures(black_box(path))).map(|found| found.len()));
    });
}

criterion_group!(benches, look_up, control);
criterion_main!(benches);

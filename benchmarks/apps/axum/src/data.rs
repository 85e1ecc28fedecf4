//! The models, the catalogue, the users behind the tokens, and the counters.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex};

use regex::Regex;
use serde::{Deserialize, Serialize};
use validator::Validate;

const VARIATIONS: usize = 64;
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(PATTERN).expect("a valid pattern"));
pub const PATTERN: &str = "^[^@ ]+@[^@ ]+$";

static CALLS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// Count a call of a handler or of a dependency.
pub fn count(name: &'static str) {
    *CALLS.lock().expect("nothing panics with the lock").entry(name).or_default() += 1;
}

pub fn calls() -> BTreeMap<&'static str, u64> {
    CALLS.lock().expect("nothing panics with the lock").clone()
}

// What may be missing is an `Option` that is required, so that everything that is wrong is found at once.

#[derive(Deserialize, Serialize, Validate)]
pub struct Customer {
    #[validate(required, length(min = 1, max = 80))]
    name: Option<String>,
    #[validate(required, regex(path = *ADDRESS))]
    email: Option<String>,
    #[validate(required, length(min = 2, max = 2))]
    country: Option<String>,
}

#[derive(Deserialize, Serialize, Validate)]
pub struct OrderLine {
    #[validate(required, length(min = 3, max = 20))]
    sku: Option<String>,
    #[validate(required, range(min = 1, max = 999))]
    quantity: Option<i64>,
    #[validate(required, range(min = 0))]
    unit_cents: Option<i64>,
}

#[derive(Deserialize, Validate)]
pub struct Order {
    #[validate(required, length(min = 3, max = 40))]
    reference: Option<String>,
    #[validate(required, nested)]
    customer: Option<Customer>,
    #[validate(required, length(min = 1), nested)]
    lines: Option<Vec<OrderLine>>,
    #[serde(default)]
    #[allow(dead_code)]
    note: String,
}

/// The fields of all models in the order in which mistakes are named.
pub const FIELDS: [&str; 10] =
    ["reference", "customer", "lines", "note", "name", "email", "country", "sku", "quantity", "unit_cents"];

#[derive(Serialize)]
pub struct Receipt {
    reference: String,
    lines: usize,
    total_cents: i64,
}

impl Receipt {
    /// What a handler answers to a validated order.
    pub fn new(order: Order) -> Self {
        let lines = order.lines.unwrap_or_default();
        let cents = |line: &OrderLine| line.quantity.unwrap_or(0) * line.unit_cents.unwrap_or(0);
        let total_cents = lines.iter().map(cents).sum();
        Self { reference: order.reference.unwrap_or_default(), lines: lines.len(), total_cents }
    }
}

#[derive(Serialize)]
pub struct Product {
    id: usize,
    name: String,
    price: f64,
    tags: Vec<String>,
    in_stock: bool,
}

pub static CATALOGUE: LazyLock<Vec<Product>> = LazyLock::new(|| {
    (0..VARIATIONS + 50)
        .map(|n| Product {
            id: n,
            name: format!("Product {n}"),
            price: n as f64 + 0.25,
            tags: vec!["new".into(), format!("shelf-{}", n % 7)],
            in_stock: n % 3 > 0,
        })
        .collect()
});

pub struct User {
    pub id: usize,
    pub name: String,
    pub role: &'static str,
}

pub static USERS: LazyLock<HashMap<String, User>> = LazyLock::new(|| {
    (0..VARIATIONS).map(|n| (format!("token-{n}"), User { id: n, name: format!("user{n}"), role: "staff" })).collect()
});

#[derive(Serialize, Validate)]
pub struct Params {
    #[validate(range(min = 0))]
    pub item_id: i64,
    #[validate(length(min = 1, max = 50))]
    pub q: String,
    #[validate(range(min = 1, max = 100))]
    pub limit: i64,
    pub tag: String,
    pub session: String,
}

#[derive(Deserialize, Validate)]
pub struct Login {
    #[validate(length(min = 1))]
    pub username: String,
    #[validate(length(min = 8))]
    pub password: String,
}

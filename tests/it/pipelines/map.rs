//! The map: what is on it, and that a browser draws it and answers.

use std::path::PathBuf;

use crate::support::{
    browser::with_browser,
    data,
    screen::screen,
    world::{World, files},
};

/// Two companies around Zagreb; the last one's coordinates are swapped.
const STORES: &str = "\
id,company,division,name,latitude,longitude
1,Alder,,\"<script>document.title='hacked'</script>\u{202e}1\",45.80,15.97
2,Alder,,Alder 2,45.82,15.99
3,Alder,,\"Alder \"\"3\"\" & more\",45.84,16.01
4,Birch,,Birch 4,45.10,15.20
5,Birch,,Birch 5,46.10,16.60
6,Birch,,Birch 6,16.44,43.51
";

/// The land's colour in `style.css`.
const LAND: [u8; 3] = [0xf7, 0xf4, 0xec];

fn world(stores: &str) -> World {
    let world = World::new();
    world.write("export/stores.csv", stores);
    world.run(&["load", "export"]).ends(0);
    world
}

/// Returns the file of that name beside the only artifact of the map.
fn beside(world: &World, name: &str) -> PathBuf {
    let all = files(&world.path("data/outbox/map")).into_iter();
    let mut named = all
        .map(|(path, _)| path)
        .filter(|path| path.ends_with(name));
    let found = named.next().unwrap();
    assert!(named.next().is_none(), "more than one {name}");
    found
}

fn text(world: &World, name: &str) -> String {
    std::fs::read_to_string(beside(world, name)).unwrap()
}

#[test]
fn the_page_needs_nothing_else_and_the_picture_and_the_list_lie_beside_it() {
    let world = world(STORES);
    let said = world.run(&["generate", "--map"]).ends(0);
    screen!(said.err, @"
    stores: 6 rows
    warning: map: check `places_that_cannot_be_right`: 1 bad row
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | store_id | company | name    | latitude | longitude | distance_km | would_fit                           |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | 6        | Birch   | Birch 6 | 16.44    | 43.51     | 4143        | with latitude and longitude swapped |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    map: 1 rows in <time>, committed as 000001-<hash>
    generated 1, skipped 0, failed 0; 1 warning in <time>
    ");
    let page = text(&world, "map.html");
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("src="));
    assert!(!page.contains("<script>document") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;document.title=&#39;hacked&#39;&lt;/script&gt;1"));
    assert!(text(&world, "map.svg").starts_with("<svg xmlns="));
    assert!(text(&world, "suspicious_stores.csv").contains("\n6,Birch,Birch 6,16.44,43.51,"));
    let manifest: serde_json::Value = serde_json::from_str(&text(&world, "manifest.json")).unwrap();
    let also = manifest["also"].as_array().unwrap();
    assert_eq!(also[0]["file"], "map.svg");
    assert_eq!(also[1]["file"], "map.png");
    assert_eq!(also[2]["file"], "suspicious_stores.csv");
    let drawn = std::fs::read(beside(&world, "map.png")).unwrap();
    assert!(drawn.starts_with(b"\x89PNG\r\n\x1a\n"));
    screen!(world.run(&["generate", "map", "--threads", "1"]).ends(0).err, @"
    stores: 6 rows
    warning: map: check `places_that_cannot_be_right`: 1 bad row
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | store_id | company | name    | latitude | longitude | distance_km | would_fit                           |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | 6        | Birch   | Birch 6 | 16.44    | 43.51     | 4143        | with latitude and longitude swapped |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    map: 1 rows in <time>, unchanged since 000001-<hash>
    generated 1, skipped 0, failed 0; 1 unchanged, 1 warning in <time>
    ");
    screen!(world.run(&["upload", "map"]).ends(0).err, @"
    map: skipped (`upload = false`)
    uploaded 0, skipped 1, failed 0 in <time>
    ");
}

#[test]
fn a_company_is_named_in_any_case_and_one_that_is_not_there_is_told() {
    let world = world(STORES);
    world
        .run(&["generate", "--map", "--company", "aLDER"])
        .ends(0);
    let page = text(&world, "map.html");
    assert!(page.contains("<h1><bdi>Stores of Alder</bdi></h1>") && !page.contains("Birch"));
    let said = world.run(&["generate", "map", "--company", "Ader"]).ends(3);
    screen!(said.err, @"
    stores: 6 rows
    error: map: check `no_such_company`: 1 bad row
    +-----------+-----------------+
    | asked_for | known_companies |
    +-----------+-----------------+
    | Ader      | Alder, Birch    |
    +-----------+-----------------+
    map: refused by its checks; nothing was committed
    generated 0, skipped 0, failed 1; 1 refused in <time>
    ");
}

/// Stores 1 and 2 ask the same for 101 products, store 3 a cent more.
fn with_prices() -> World {
    let world = world(STORES);
    let (mut products, mut prices) = (
        "id,name,brand,size,barcode,category\n".to_owned(),
        "product_id,store_id,price,scraped_date\n".to_owned(),
    );
    for product in 1..=101 {
        products += &format!("{product},Product {product},,,{product},Things\n");
        for (store, price) in [(1, "1.00"), (2, "1.00"), (3, "1.01")] {
            prices += &format!("{product},{store},{price},2026-11-01\n");
        }
    }
    world.write("export/products.csv", &products);
    world.write("export/prices.csv", &prices);
    world.run(&["load", "export"]).ends(0);
    world
}

#[test]
fn prices_are_fetched_only_where_stores_are_coloured_by_them() {
    let world = with_prices();
    let said = world.run(&["generate", "map"]).ends(0);
    assert!(!said.err.contains("prices:"), "{}", said.err);
    let pages = |group: &str| {
        let all = files(&world.path("data/outbox/map")).into_iter();
        let pages = all.filter(|(path, _)| path.ends_with("map.html"));
        let pages = pages.map(|(_, page)| String::from_utf8(page).unwrap());
        pages
            .filter(|page| page.contains(&format!("data-groups=\"{group}\"")))
            .collect::<Vec<_>>()
    };
    // All three are close to each other, and two price alike.
    let [by_place] = &pages("geography")[..] else {
        panic!("one page")
    };
    assert_eq!(by_place.matches("data-group=\"1.1\"").count(), 3);
    let said = world
        .run(&["generate", "map", "--colour-by", "price"])
        .ends(0);
    screen!(said.err, @"
    prices: 303 rows
    stores: 6 rows
    warning: map: check `places_that_cannot_be_right`: 1 bad row
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | store_id | company | name    | latitude | longitude | distance_km | would_fit                           |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    | 6        | Birch   | Birch 6 | 16.44    | 43.51     | 4143        | with latitude and longitude swapped |
    +----------+---------+---------+----------+-----------+-------------+-------------------------------------+
    map: 1 rows in <time>, committed as 000002-<hash>
    generated 1, skipped 0, failed 0; 1 warning in <time>
    ");
    let [by_price] = &pages("price")[..] else {
        panic!("one page")
    };
    assert_eq!(by_price.matches("data-group=\"1.1\"").count(), 2);
    assert!(by_price.contains("groups that price alike; grey: none"));
}

#[test]
fn the_real_store_whose_coordinates_are_swapped_is_found() {
    let Some(data) = data::folder("hr") else {
        return;
    };
    let stores = std::fs::read_to_string(data.join("stores.csv")).unwrap();
    let world = world(&stores);
    world.run(&["generate", "map"]).ends(0);
    let list = text(&world, "suspicious_stores.csv");
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("127,Trgocentar,"), "{list}");
    assert!(
        list.contains("with latitude and longitude swapped"),
        "{list}"
    );
}

#[tokio::test]
async fn the_page_draws_its_stores_and_answers_a_click_the_wheel_and_the_legend() {
    let world = world(STORES);
    world.run(&["generate", "map"]).ends(0);
    let page = beside(&world, "map.html");
    with_browser(async |browser| {
        browser.visit(&page).await;
        let dots = "document.querySelectorAll('#stores path').length";
        assert_eq!(browser.value(dots).await, 5);
        assert_eq!(browser.value("document.title").await, "Stores");
        let within = "[...document.querySelectorAll('#stores path')].every(dot => {
            const place = dot.getBoundingClientRect();
            return place.x > 0 && place.y > 0 && place.x < innerWidth && place.y < innerHeight })";
        assert_eq!(browser.value(within).await, true);

        let store = browser.place("[data-id='1']").await;
        let before = browser.screenshot().await;
        let beside = (store.0 - 40, store.1);
        assert_eq!(before.colour(beside), LAND);
        let [red, green, blue] = before.colour(store).map(i32::from);
        assert!(
            red.max(green).max(blue) - red.min(green).min(blue) > 60,
            "no dot"
        );

        browser.click("[data-id='1']").await;
        let clicked = browser.screenshot().await;
        assert!(
            clicked.differing(&before) > 2_000,
            "a card, and a ring about the store"
        );
        let card =
            "[...document.querySelectorAll('#card h2, #card p')].map(part => part.textContent)";
        let told = browser.value(card).await;
        assert_eq!(told[0], "<script>document.title='hacked'</script>1");
        assert_eq!(told[1], "Alder, store 1");
        assert_eq!(told[2], "One of a group of 3 close stores");
        browser.click("#close").await;
        assert_eq!(
            browser
                .value("document.getElementById('card').hidden")
                .await,
            true
        );

        let view = "document.getElementById('view').getCTM().a";
        let before = browser.value(view).await.as_f64().unwrap();
        browser.wheel("#map", -300).await;
        let zoomed = browser.value(view).await.as_f64().unwrap();
        assert!(zoomed > before * 1.5, "{before} {zoomed}");
        let left = "document.getElementById('view').getCTM().e";
        let before = browser.value(left).await.as_f64().unwrap();
        browser.drag("#map", (120, 40)).await;
        let moved = browser.value(left).await.as_f64().unwrap() - before;
        assert!((moved - 120.0).abs() < 2.0, "{moved}");

        let shown = "getComputedStyle(document.querySelector('[data-company=Birch]')).display";
        browser.click("#companies button[data-number='2']").await;
        assert_eq!(browser.value(shown).await, "none");
        browser.click("#companies button[data-number='2']").await;
        assert_ne!(browser.value(shown).await, "none");
        assert_eq!(browser.complaints().await, serde_json::json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_real_australian_stores_draw() {
    let Some(data) = data::folder("au") else {
        return;
    };
    let world = world(&std::fs::read_to_string(data.join("stores.csv")).unwrap());
    world.run(&["generate", "map"]).ends(0);
    let page = beside(&world, "map.html");
    assert!(std::fs::metadata(&page).unwrap().len() < 1_000_000);
    with_browser(async |browser| {
        browser.visit(&page).await;
        let counts = "[...document.querySelectorAll('.company')].map(company =>
            `${company.dataset.company} ${company.children.length}`).sort()";
        let wanted = serde_json::json!(["Aldi 495", "Coles 827", "Iga 1281", "Woolworths 1131"]);
        assert_eq!(browser.value(counts).await, wanted);
        assert_eq!(browser.complaints().await, serde_json::json!([]));
    })
    .await;
}

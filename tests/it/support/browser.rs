//! A headless Chromium, spoken to through its driver: WebDriver over plain HTTP.

use std::{
    io::{BufRead, BufReader},
    panic::{AssertUnwindSafe, resume_unwind},
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::FutureExt;
use resvg::tiny_skia::Pixmap;
use serde_json::{Value, json};

/// A window of 1200 by 900.
pub(crate) struct Browser {
    client: reqwest::Client,
    session: String,
}

/// Runs a test in a browser and ends the browser whatever comes of it; where there is
/// none, says so.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) async fn with_browser(test: impl AsyncFnOnce(&Browser)) {
    let Some(driver) = driver() else {
        println!("skipped: there is no chromium with its chromedriver on the path");
        return;
    };
    let profile = tempfile::tempdir().unwrap();
    let browser = Browser::open(driver.port, profile.path()).await;
    let tested = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    browser.close().await;
    drop(driver);
    if let Err(panic) = tested {
        resume_unwind(panic);
    }
}

/// The driver's process, which ends with the test.
struct Driver {
    child: Child,
    port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the driver on a free port, where both are installed.
fn driver() -> Option<Driver> {
    let quiet = |name: &str| {
        let mut command = Command::new(name);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    quiet("chromium").arg("--version").output().ok()?;
    let mut child = quiet("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // What else it says is read, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    let port = port.expect("the driver says its port");
    Some(Driver { child, port })
}

impl Browser {
    async fn open(port: u16, profile: &Path) -> Browser {
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1200,900",
        ];
        let profile = format!("--user-data-dir={}", profile.display());
        let arguments: Vec<&str> = flags.into_iter().chain([profile.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let driver = format!("http://127.0.0.1:{port}/session");
        let opened = post(&client, &driver, wanted).await;
        let id = opened["sessionId"].as_str().unwrap();
        Browser {
            session: format!("{driver}/{id}"),
            client,
        }
    }

    async fn close(&self) {
        // One that has crashed is gone already.
        let _ = self.client.delete(&self.session).send().await;
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        post(&self.client, &format!("{}/{command}", self.session), body).await
    }

    /// Opens a local file.
    pub(crate) async fn visit(&self, file: &Path) {
        let url = url::Url::from_file_path(file).unwrap();
        self.post("url", json!({"url": url.as_str()})).await;
    }

    /// Returns the value of an expression, once what was asked for before is drawn.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             requestAnimationFrame(() => requestAnimationFrame(() => done({expression})))"
        );
        let body = json!({"script": script, "args": []});
        self.post("execute/async", body).await
    }

    /// Returns what the window shows.
    pub(crate) async fn screenshot(&self) -> Screenshot {
        // Two frames on, what was asked for before is drawn.
        self.value("null").await;
        let url = format!("{}/screenshot", self.session);
        let answer: Value = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let png = BASE64_STANDARD.decode(answer["value"].as_str().unwrap());
        Screenshot(Pixmap::decode_png(&png.unwrap()).unwrap())
    }

    /// Clicks where the first element of a selector is.
    pub(crate) async fn click(&self, selector: &str) {
        let (x, y) = self.place(selector).await;
        let press = [
            at(x, y),
            json!({"type": "pointerDown", "button": 0}),
            json!({"type": "pointerUp", "button": 0}),
        ];
        self.act("pointer", &press).await;
    }

    /// Drags from the middle of an element by so many pixels.
    pub(crate) async fn drag(&self, selector: &str, by: (i64, i64)) {
        let (x, y) = self.place(selector).await;
        let down = json!({"type": "pointerDown", "button": 0});
        let up = json!({"type": "pointerUp", "button": 0});
        self.act("pointer", &[at(x, y), down, at(x + by.0, y + by.1), up])
            .await;
    }

    /// Turns the wheel over the middle of an element.
    pub(crate) async fn wheel(&self, selector: &str, by: i64) {
        let (x, y) = self.place(selector).await;
        let turn = json!({"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by});
        self.act("wheel", &[turn]).await;
    }

    /// Returns what the browser complained of.
    pub(crate) async fn complaints(&self) -> Value {
        self.post("se/log", json!({"type": "browser"})).await
    }

    async fn act(&self, device: &str, actions: &[Value]) {
        let source = json!({"type": device, "id": device, "actions": actions});
        self.post("actions", json!({"actions": [source]})).await;
    }

    /// Returns where the middle of the first element of a selector is.
    pub(crate) async fn place(&self, selector: &str) -> (i64, i64) {
        let middle = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect();
             return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)]; }})()",
            json!(selector)
        );
        let place = self.value(&middle).await;
        (place[0].as_i64().unwrap(), place[1].as_i64().unwrap())
    }
}

/// The points of a window.
pub(crate) struct Screenshot(Pixmap);

impl Screenshot {
    /// Returns red, green and blue of a point.
    pub(crate) fn colour(&self, (x, y): (i64, i64)) -> [u8; 3] {
        let point = self.0.pixel(x as u32, y as u32).unwrap();
        [point.red(), point.green(), point.blue()]
    }

    /// Returns how many points have another colour there.
    pub(crate) fn differing(&self, other: &Screenshot) -> usize {
        let points = self.0.pixels().iter().zip(other.0.pixels());
        points.filter(|(one, other)| one != other).count()
    }
}

fn at(x: i64, y: i64) -> Value {
    json!({"type": "pointerMove", "x": x, "y": y, "duration": 0})
}

async fn post(client: &reqwest::Client, url: &str, body: Value) -> Value {
    let answer = client.post(url).json(&body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["value"]["error"].is_null(), "{url}: {answer}");
    answer["value"].clone()
}

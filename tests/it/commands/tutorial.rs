//! The page `tutorial`, step by step as it is written: a block that names a file is that
//! file, `sh` is run, and other text is part of what the commands before it printed.

use std::process::{Command, Stdio};

use crate::support::world::World;

/// A line of shell that is meant to fail says so.
const FAILS: &str = "# fails";

/// One fenced block: what stands behind its fence, and its text.
struct Block<'a> {
    language: &'a str,
    file: Option<&'a str>,
    text: &'a str,
}

fn blocks() -> Vec<Block<'static>> {
    let page = pricemill::docs::page("tutorial").unwrap();
    let fenced = page.text.split("```").skip(1).step_by(2);
    let block = |fenced: &'static str| {
        let (head, text) = fenced.split_once('\n').unwrap();
        let mut words = head.split(' ');
        Block {
            language: words.next().unwrap(),
            file: words.next(),
            text,
        }
    };
    fenced.map(block).collect()
}

/// Follows the tutorial in a world of its own.
struct Reader {
    world: World,
    folder: &'static str,
    said: String,
}

impl Reader {
    fn follow(&mut self, block: &Block<'static>) {
        match (block.language, block.file) {
            (_, Some(file)) => self
                .world
                .write(&format!("{}{file}", self.folder), block.text),
            ("sh", None) => self.run(block.text),
            (_, None) => self.read(block.text),
        }
    }

    fn run(&mut self, lines: &'static str) {
        self.said.clear();
        for line in lines.lines() {
            match line.strip_prefix("cd ") {
                Some("pricemill-demo") => self.folder = "pricemill-demo/",
                Some(other) => panic!("cd {other}"),
                None => self.shell(line),
            }
        }
    }

    fn shell(&mut self, line: &str) {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_pricemill"));
        let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(self.world.path(self.folder))
            .env_clear()
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        self.said
            .push_str(&String::from_utf8(output.stdout).unwrap());
        self.said
            .push_str(&String::from_utf8(output.stderr).unwrap());
        let wanted = !line.contains(FAILS);
        assert_eq!(output.status.success(), wanted, "{line}\n{}", self.said);
    }

    fn read(&self, lines: &str) {
        for line in lines.lines() {
            assert!(self.said.contains(line), "no `{line}` in\n{}", self.said);
        }
    }
}

#[test]
fn every_step_does_what_the_page_says() {
    let blocks = blocks();
    let files = blocks.iter().filter(|block| block.file.is_some()).count();
    assert_eq!((blocks.len(), files), (11, 4));
    let mut reader = Reader {
        world: World::new(),
        folder: "",
        said: String::new(),
    };
    for block in &blocks {
        reader.follow(block);
    }
}

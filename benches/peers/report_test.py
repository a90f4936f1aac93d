"""Where a report is kept: each part in its own lines."""

import tempfile
import unittest
from pathlib import Path

import report

LINES = (
    "<!-- peers: begin -->\nold\n<!-- peers: end -->\n\n"
    "<!-- substitutions: begin -->\n<!-- substitutions: end -->\n"
)


class Save(unittest.TestCase):
    def test_a_part_leaves_the_other_alone_whichever_is_first(self):
        for order in ((0, 1), (1, 0)):
            parts = [(report.PEERS, "a table\n"), (report.SUBSTITUTIONS, "another\n")]
            with self.subTest(order=order), tempfile.TemporaryDirectory() as folder:
                root = Path(folder)
                (root / "benches" / "peers").mkdir(parents=True)
                (root / "src" / "docs").mkdir(parents=True)
                files = (root / report.PAGE, root / "benches" / "peers" / "RESULTS.md")
                for file in files:
                    file.write_text(f"before\n{LINES}after\n")
                for place in order:
                    report.save(root, *parts[place])
                for file in files:
                    self.assertEqual(
                        file.read_text(),
                        "before\n<!-- peers: begin -->\na table\n<!-- peers: end -->\n\n"
                        "<!-- substitutions: begin -->\nanother\n<!-- substitutions: end -->\n"
                        "after\n",
                    )

    def test_a_file_without_the_lines_is_named(self):
        with self.assertRaisesRegex(SystemExit, "peers.md has no lines <!-- substitutions"):
            report.replaced("# Benchmarks", report.SUBSTITUTIONS, "text\n", "peers.md")


if __name__ == "__main__":
    unittest.main()

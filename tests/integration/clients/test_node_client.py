"""The npm package consent-client: its tests in client.test.js, and its types as an app in TypeScript meets them."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import node_package

ROOT = pathlib.Path(os.environ["TEST_ROOT"])
FOLDER = node_package.folder()
USE = """import { connect, errorOf } from "consent-client";
const client = connect();
export async function may(): Promise<boolean> {
  const answer = await client.check({ recording_id: "r", account_id: "a", wake: "WAKE_BUTTON" }, { purpose: "PURPOSE_HUMAN_REVIEW", place: { country: "DE" } });
  const reply = await client.settings.getSettings({ account_id: "a", language: "de" });
  const state: string | undefined = reply.settings?.controls[0].effective?.toString();
  return answer.mayUse("PURPOSE_HUMAN_REVIEW") && state !== undefined && errorOf(undefined).reason === "";
}
"""
# Each line is wrong for its own reason.
MISUSE = """import { connect } from "consent-client";
const client = connect();
export const a = client.check({ account: "a" }, { purpose: "PURPOSE_HUMAN_REVIEW" });
export const b = client.check({}, { purpose: "HUMAN_REVIEW" });
export const c = client.settings.optOutt({});
export async function d() { if (client.check({}, { purpose: "PURPOSE_HUMAN_REVIEW" })) return 1; return 0; }
export async function e() { const answer = await client.check({}, { purpose: "PURPOSE_HUMAN_REVIEW" }); if (answer.mayUse) return 1; return 0; }
export async function f() { const answer = await client.check({}, { purpose: "PURPOSE_HUMAN_REVIEW" }); answer.eligibility = "ELIGIBILITY_ELIGIBLE"; }
"""


class Package(unittest.TestCase):

    def test_its_own(self):
        done = subprocess.run(["node", "--test", str(ROOT / "tests/integration/clients/client.test.js")], capture_output=True, text=True, check=False,
                              env={**os.environ, "TEST_NODE_CLIENT": str(FOLDER)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreaterEqual(int(re.search(r"^# pass (\d+)$|^ℹ pass (\d+)$", done.stdout, re.M)[1] or 0), 15, done.stdout)

    def test_types_hold(self):
        """Those of the package are checked where it is made; here those of the examples."""
        done = subprocess.run([FOLDER / "node_modules/.bin/tsc", "--noEmit", "-p", "examples"], cwd=FOLDER, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_types_as_an_app_meets_them(self):
        """In a project that has installed what `npm pack` makes: it can be used, tsc finds each misuse, and nothing where there is none."""
        with tempfile.TemporaryDirectory() as project:
            modules = pathlib.Path(project) / "node_modules"
            (modules / "consent-client").mkdir(parents=True)
            packed = subprocess.run(["npm", "pack", "--ignore-scripts", "--pack-destination", project], cwd=FOLDER, capture_output=True, text=True, check=True)
            subprocess.run(["tar", "-xzf", pathlib.Path(project) / packed.stdout.strip(), "-C", modules / "consent-client", "--strip-components=1"], check=True)
            for module in (FOLDER / "node_modules").iterdir():  # what it depends on, without asking a registry once more
                (modules / module.name).symlink_to(module)
            told = subprocess.run(["node", "-e", "require('consent-client').connect({ endpoint: 'unix:/nobody' }).settings.getSettings({ account_id: 'a' }).catch((e) => "
                                   "console.log(require('consent-client').errorOf(e).code))"], cwd=project, capture_output=True, text=True, check=True)
            self.assertEqual(told.stdout, "UNAVAILABLE\n")
            for name, text in (("use.ts", USE), ("misuse.ts", MISUSE)):
                (pathlib.Path(project) / name).write_text(text, encoding="utf-8")
            done = subprocess.run([FOLDER / "node_modules/.bin/tsc", "--noEmit", "--strict", "--target", "ES2022", "--module", "Node16", "--moduleResolution", "Node16",
                                   "--skipLibCheck", "use.ts", "misuse.ts"], cwd=project, capture_output=True, text=True, check=False)
        self.assertEqual(sorted(set(re.findall(r"^(\w+)\.ts\((\d+),", done.stdout, re.M))), [("misuse", str(line)) for line in range(3, 9)], done.stdout)

    def test_what_is_published(self):
        """`npm pack` takes the protos and types along, and neither tests nor what this machine is."""
        done = subprocess.run(["npm", "pack", "--dry-run", "--json", "--ignore-scripts"], cwd=FOLDER, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("lib/index.js", "proto/consent/v1/types.proto", "proto/consent/v1/service_config.json", "types/lib/index.d.ts", "README.md"):
            self.assertIn(f'"path": "{name}"', done.stdout)
        self.assertNotIn("node_modules", done.stdout)


if __name__ == "__main__":
    unittest.main()

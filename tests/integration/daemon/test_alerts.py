"""The shipped rules and runbooks: promtool takes them, each alert is tested both ways, has its page, and asks for metrics that there are."""

import os
import re
import shlex
import subprocess
import unittest

import alert_rules
from harness import DAEMON, ROOT
from test_scrape import table

TESTS = tuple(f"{role}.{pace}.test.yml" for role in ("officer", "operator") for pace in ("quick", "slow"))
# Of every scrape, and of a histogram's series.
OF_PROMETHEUS = {"job", "instance", "le"}
KEYWORDS = {"by", "on", "and", "or", "unless", "offset", "group_left", "ignoring", "without", "bool"}


def labels_of_metrics():
    """The labels of each metric of the table and of those that histograms have, and `up`."""
    found = {}
    for name, row in table().items():
        for shown in ([name + suffix for suffix in ("_bucket", "_sum", "_count")] if row.type == "histogram" else [name]):
            found[shown] = set(row.labels)
    return {**found, "up": set()}


def names_in(expression):
    """Metrics and recorded series that an expression asks for, each with the labels that it is asked for with, and the labels in `by` and `on`."""
    expression = re.sub(r'"[^"]*"', '""', expression)
    grouped = {label for listed in re.findall(r"\b(?:by|on|ignoring|without|group_left)\s*\(([^)]*)\)", expression) for label in re.findall(r"\w+", listed)}
    expression = re.sub(r"\b(?:by|on|ignoring|without|group_left)\s*\([^)]*\)", "", expression)
    expression = re.sub(r"\[[^\]]*\]|\boffset\s+\w+", "", expression)
    named = {}
    for name, then in re.findall(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?", expression):
        if name not in KEYWORDS and then != "(":
            named.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", then))
    return named, grouped


class Rules(unittest.TestCase):

    def test_promtool_takes_them(self):
        for what in (("rules", *alert_rules.FILES), ("config", "prometheus.example.yml")):
            code, said = alert_rules.promtool("check", *what, cwd=alert_rules.RULES)
            self.assertEqual(code, 0, said)

    def test_each_fires_in_its_time_and_clears(self):
        code, said = alert_rules.promtool("test", "rules", *TESTS, cwd=alert_rules.RULES)
        self.assertEqual(code, 0, said)

    def test_each_is_tested_both_ways(self):
        """Pending and silent before its time, firing, and silent again."""
        tested = {}
        for name in TESTS:
            for test in alert_rules.read(name)["tests"]:
                before, firing, after = test["alert_rule_test"]
                [pending] = test["promql_expr_test"]
                alert = before["alertname"]
                self.assertEqual([(one["alertname"], bool(one["exp_alerts"])) for one in (before, firing, after)], [(alert, False), (alert, True), (alert, False)])
                self.assertEqual((pending["expr"], pending["eval_time"], pending["exp_samples"][0]["value"]),
                                 (f'count(ALERTS{{alertname="{alert}", alertstate="pending"}})', before["eval_time"], 1))
                tested.setdefault(alert, name.split(".")[0])
        self.assertEqual(tested, {alert: rule["group"] for alert, rule in alert_rules.alerts().items()})

    def test_form(self):
        for alert, rule in alert_rules.alerts().items():
            with self.subTest(alert=alert):
                self.assertRegex(alert, r"^Consentd([A-Z][a-z]+)+$")
                self.assertEqual(set(rule["labels"]), {"severity", "role"})
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
                self.assertEqual(rule["labels"]["role"], rule["group"])
                self.assertRegex(rule["for"], r"^\d+[mhd]$")
                self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook"})
        for record in alert_rules.recordings():
            self.assertRegex(record, r"^[a-z_]+:\w+:\w+$")

    def test_they_ask_for_metrics_of_the_table(self):
        metrics, recorded = labels_of_metrics(), alert_rules.recordings()
        asked = {**recorded, **{alert: rule["expr"] for alert, rule in alert_rules.alerts().items()}}
        used = set()
        for rule, expression in asked.items():
            with self.subTest(rule=rule):
                named, grouped = names_in(expression)
                self.assertTrue(named, "it asks for something")
                known = set()
                for name, labels in named.items():
                    if ":" in name:
                        self.assertIn(name, recorded)
                    of_name = self.level(name) if ":" in name else metrics.get(name)
                    self.assertIsNotNone(of_name, f"{name} has no row in daemon/ops/README.md")
                    self.assertEqual(labels - of_name - OF_PROMETHEUS, set(), name)
                    known |= of_name
                    used.add(name)
                self.assertEqual(grouped - known - OF_PROMETHEUS, set(), "labels that none of them has")
                if ":" in rule:
                    self.assertEqual(self.level(rule), grouped - {"le"} if grouped else self.level(next(iter(named))), "its name says its labels")
        self.assertEqual(set(recorded) - used, set(), "recorded, and asked for by no rule")

    def level(self, record):
        """The labels in the name of a recorded series; a label's own name may have underscores."""
        labels = {label for row in table().values() for label in row.labels} | OF_PROMETHEUS
        left, found = record.split(":")[0], set()
        while left:
            label = max((one for one in labels if left == one or left.startswith(one + "_")), key=len, default=None)
            self.assertIsNotNone(label, record)
            found.add(label)
            left = left[len(label) + 1:]
        return found

    def test_no_label_that_can_name_anybody(self):
        known = set().union(*labels_of_metrics().values()) | OF_PROMETHEUS
        for alert, rule in alert_rules.alerts().items():
            for text in rule["annotations"].values():
                for label in re.findall(r"\$labels\.(\w+)", text):
                    self.assertIn(label, known, alert)
                    self.assertNotIn(label, {"account", "profile", "device", "country"}, alert)

    def test_each_row_that_says_alarm_has_an_alert(self):
        rows = {line.split("`")[1] for line in alert_rules.METRICS.read_text().splitlines() if line.startswith("| `") and "larm " in line}
        self.assertGreater(len(rows), 20)
        asked = " ".join([rule["expr"] for rule in alert_rules.alerts().values()])
        asked += " ".join(expression for record, expression in alert_rules.recordings().items() if record in asked)
        self.assertEqual({row for row in rows if not re.search(rf"\b{row}\b", asked)}, set())

    def test_inhibitions_name_alerts_and_their_labels(self):
        known = set(alert_rules.alerts())
        rules = alert_rules.read("alertmanager.example.yml")["inhibit_rules"]
        for rule in rules:
            for matcher in rule["source_matchers"] + rule["target_matchers"]:
                name = re.fullmatch(r'alertname=~?"([\w|]+)"', matcher)[1]
                self.assertEqual(set(name.split("|")) - known, set())
            silenced = {name for matcher in rule["target_matchers"] for name in re.findall(r"Consentd\w+", matcher)}
            self.assertEqual({name for name in silenced if re.search("OptOut|Deletion|Safety|YesAfterNo|YesNotGiven", name)}, set(), "these are told whatever else is wrong")


class Pages(unittest.TestCase):

    def test_each_alert_has_its_page_and_each_page_its_alert(self):
        known = alert_rules.alerts()
        for alert, rule in known.items():
            with self.subTest(alert=alert):
                self.assertEqual(rule["annotations"]["runbook"], f"deploy/runbooks/{alert}.md")
                text = alert_rules.page(alert)
                self.assertEqual(text.splitlines()[0], f"# {alert}")
                self.assertEqual(re.findall(r"^## (.*)$", text, re.M), ["What it means", "Look", "Do", "Over"])
                kind = "wakes somebody (`page`)" if rule["labels"]["severity"] == "page" else "for the next working day (`ticket`)"
                self.assertEqual(text.splitlines()[2], f"For the {rule['group']}; {kind}; after {rule['for']}.")
                for link in re.findall(r"\]\(([^)#]+)\)", text):
                    self.assertTrue((alert_rules.RUNBOOKS / link).is_file(), link)
                for path in re.findall(r"`((?:deploy|daemon|client)/[\w./-]+)`", text):
                    self.assertTrue((ROOT / path).exists(), path)
        self.assertEqual({path.stem for path in alert_rules.RUNBOOKS.glob("*.md")} - {"README"}, set(known))

    def test_the_table_of_pages_has_each(self):
        rows = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| (\w+), `\w+` \|", (alert_rules.RUNBOOKS / "README.md").read_text(), re.M))
        self.assertEqual(rows, {alert: rule["group"] for alert, rule in alert_rules.alerts().items()})

    def test_queries_ask_for_metrics_of_the_table(self):
        metrics = labels_of_metrics()
        for alert in alert_rules.alerts():
            for query in alert_rules.blocks(alert_rules.page(alert), "promql"):
                with self.subTest(alert=alert, query=query):
                    named, grouped = names_in(query)
                    self.assertEqual(set(named) - set(metrics), set())
                    self.assertEqual(grouped - OF_PROMETHEUS - set().union(*(metrics[name] for name in named)), set())

    def test_metrics_in_the_text_are_in_the_table(self):
        metrics = labels_of_metrics()
        for alert in alert_rules.alerts():
            for name in re.findall(r"`((?:consentd|grpc_server|process)_\w+)", alert_rules.page(alert)):
                self.assertTrue(name in metrics or name.endswith("_"), f"{alert}: {name}")


@unittest.skipUnless(os.environ.get("TEST_CTL"), "needs consentctl")
class Commands(unittest.TestCase):
    """Each command of the pages is one that the programs have, with its options."""

    PROGRAMS = {"consentctl": os.environ.get("TEST_CTL"), "consentd": DAEMON}

    def help_of(self, words):
        """None where there is no such command. consentd has one usage for all that it does with a file."""
        asked = words if words[0] == "consentctl" else words[:2]
        done = subprocess.run([self.PROGRAMS[words[0]], *asked[1:], "--help"], capture_output=True, text=True, timeout=60, check=False)
        if words[0] == "consentd":
            return done.stderr if " ".join(words) in done.stderr else None
        # Of a word that it does not know it shows the help for what stands before.
        return done.stdout if done.returncode == 0 and re.search(rf"Usage: .*{words[-1]} \[", done.stdout) else None

    def test_commands(self):
        seen, helped = 0, {}
        for alert in alert_rules.alerts():
            for block in alert_rules.blocks(alert_rules.page(alert), "sh"):
                for line in block.splitlines():
                    with self.subTest(alert=alert, line=line):
                        words = shlex.split(line)
                        words = words[:words.index("--")] if "--" in words else words
                        self.assertIn(words[0], self.PROGRAMS)
                        command = (words[0], *[word for word in words[1:3] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("--")])
                        text = helped.setdefault(command, self.help_of(command))
                        self.assertIsNotNone(text, f"no command {' '.join(command)}")
                        for option in [word for word in words if word.startswith("--")]:
                            self.assertRegex(text, rf"(^|[\s,]){option}\b", f"no option {option}")
                        seen += 1
        self.assertGreater(seen, 50)


if __name__ == "__main__":
    unittest.main()

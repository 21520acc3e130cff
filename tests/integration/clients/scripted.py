"""A server that answers what a script says, and the package connected to it by a clock of the test's own."""

import concurrent.futures
import unittest

import grpc

import consent_client


class ScriptedTest(unittest.TestCase):
    """`self.client` asks `self.script`, of the servicer's class that `serve` is given, at the time `self.now`."""

    def serve(self, script, add_to_server):
        self.script = script
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        add_to_server(self.script, self.server)
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.addCleanup(self.server.stop, None)
        self.now = 0
        self.client = consent_client.connect(f"127.0.0.1:{port}", clock=lambda: self.now)
        self.addCleanup(self.client.close)

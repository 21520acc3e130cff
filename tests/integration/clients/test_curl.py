"""What can be done before a daemon without any library: curl (client/recipes/grpc-curl) and server reflection."""

import json
import os
import re
import subprocess
import unittest

import grpc
from google.protobuf import descriptor_pb2

from consent.v1 import eligibility_service_pb2, settings_service_pb2
from harness import PATIENCE, ROOT, DaemonTest
from words import household

CTL = os.environ["TEST_CTL"]
SCRIPT = ROOT / "client/recipes/grpc-curl"
QUESTION = 'recording { recording_id: "r" account_id: "george" } purpose: PURPOSE_HUMAN_REVIEW'
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def text_field(number, text):
    """A field of ServerReflectionRequest, whose lengths are below 128."""
    return bytes([number << 3 | 2, len(text)]) + text.encode()


class WithoutALibrary(DaemonTest):

    def serve(self, without=None):
        """`without`: a role that the callers' file does not know."""
        self.tls = self.folder / "tls"
        subprocess.run([CTL, "certs", "dev", self.tls], check=True, capture_output=True)
        callers = json.loads((self.tls / "callers.json").read_text())
        kept = [caller for caller in callers["callers"] if caller["roles"] != [f"ROLE_{without}"]]
        self.assertEqual(len(callers["callers"]) - len(kept), 0 if without is None else 1)
        (self.tls / "callers.json").write_text(json.dumps({**callers, "callers": kept}))
        socket = self.folder / "run" / "consentd.sock"
        served = self.daemon("--listen", f"unix:{socket}", "--listen", "localhost:0", "--callers", self.tls / "callers.json", "--tls-cert", self.tls / "server.pem",
                             "--tls-key", self.tls / "server-key.pem", "--tls-client-ca", self.tls / "ca.pem")
        places = served.wait_for("listening")["address"].split()
        self.endpoint = "localhost:" + next(place for place in places if not place.startswith("unix:")).rpartition(":")[2]
        self.socket = f"unix:{socket}"
        return served

    def curl(self, method, request, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT")}
        return subprocess.run([SCRIPT, method, request], env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=PATIENCE)

    def of_role(self, role):
        return {"CONSENT_ENDPOINT": self.endpoint, "CONSENT_CA": str(self.tls / "ca.pem"), "CONSENT_CERT": str(self.tls / f"{role}.pem"), "CONSENT_KEY": str(self.tls / f"{role}-key.pem")}

    def test_curl(self):
        served = self.serve()
        self.client(served).subjects.UpsertSubject(household("george"))
        for environment in ({"CONSENT_ENDPOINT": self.socket}, self.of_role("backend")):
            told = self.curl("SubjectService/GetSubject", 'account_id: "george"', **environment)
            self.assertEqual((told.returncode, told.stderr), (0, ""))
            self.assertIn('region: "DE"', told.stdout)
        told = self.curl("EligibilityService/Check", QUESTION, **self.of_role("sampler"))
        self.assertIn("ELIGIBILITY_NOT_ELIGIBLE", told.stdout)
        told = self.curl("SubjectService/GetSubject", 'account_id: "nobody"', CONSENT_ENDPOINT=self.socket)
        self.assertEqual((told.returncode, told.stdout, told.stderr), (1, "", "grpc-status 5: no such subject\n"))
        told = self.curl("SubjectService/GetSubject", 'account_id: "george"', **self.of_role("sampler"))
        self.assertEqual((told.returncode, told.stdout), (1, ""))
        self.assertRegex(told.stderr, "^grpc-status 7: ")

    def test_curl_by_hand(self):
        """The README's line, word by word."""
        self.client(self.serve()).subjects.UpsertSubject(household("george"))
        section = (ROOT / "client/recipes/README.md").read_text(encoding="utf-8").split("\n## curl\n")[1]
        for line in re.findall(r"^```\n(.*?)^```$", section.split("\n## ")[0], re.M | re.S):
            told = subprocess.run(["bash", "-c", line], cwd=ROOT, env={**os.environ, "CONSENT_ENDPOINT": self.socket}, capture_output=True, text=True, check=False, timeout=PATIENCE)
            self.assertIn('region: "DE"', told.stdout, told.stderr)

    def test_what_is_wrong_is_told(self):
        told = self.curl("SubjectsService/GetSubject", "")
        self.assertEqual(told.returncode, 64)
        self.assertIn("SubjectService", told.stderr)
        told = self.curl("SubjectService/GetSubjects", "")
        self.assertEqual(told.returncode, 64)
        self.assertIn("GetSubject ", told.stderr)
        self.assertEqual(self.curl("SubjectService/GetSubject", "acount_id: 1").returncode, 64)
        self.assertEqual(self.curl("SubjectService/GetSubject", "", CONSENT_ENDPOINT=f"unix:{self.folder}/nobody").returncode, 20)

    def reflected(self, channel, request):
        call = channel.stream_stream(REFLECT, request_serializer=None, response_deserializer=None)
        return next(call(iter([request]), timeout=PATIENCE))

    def test_reflection(self):
        """It names every service, has every message, over a socket and to whoever has a certificate, also one that the callers' file does not name."""
        self.serve(without="SAMPLER")
        self.assertIn("grpc-status 7", self.curl("EligibilityService/Check", QUESTION, **self.of_role("sampler")).stderr)
        credentials = grpc.ssl_channel_credentials(*((self.tls / name).read_bytes() for name in ("ca.pem", "sampler-key.pem", "sampler.pem")))
        wanted = {f"consent.v1.{name}" for name in re.findall(r"^service (\w+) \{", "".join(path.read_text() for path in (ROOT / "proto/consent/v1").glob("*.proto")), re.M)}
        options = [("grpc.default_authority", "localhost")]
        for channel in (grpc.insecure_channel(self.socket, options=options), grpc.secure_channel(self.endpoint, credentials)):
            with channel:
                listed = self.reflected(channel, text_field(7, ""))
                self.assertEqual(set(re.findall(r"consent\.v1\.\w+", listed.decode(errors="replace"))), wanted)
                for name, file in (("consent.v1.EligibilityService", eligibility_service_pb2), ("consent.v1.SettingsService.OptOut", settings_service_pb2)):
                    told = self.reflected(channel, text_field(4, name))
                    for message in file.DESCRIPTOR.message_types_by_name.values():
                        described = descriptor_pb2.DescriptorProto()
                        message.CopyToProto(described)
                        self.assertIn(described.SerializeToString(), told, message.name)


if __name__ == "__main__":
    unittest.main()

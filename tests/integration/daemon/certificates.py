"""Certificates for tests of TLS, made by the openssl program: CAs, and what they sign, valid whenever a test wants it."""

import datetime
import pathlib
import subprocess

DAY = datetime.timedelta(days=1)

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[ca]
default_ca = one
[one]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = anybody
[anybody]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = {name}
"""


def openssl(*arguments):
    """Runs it to its end; returns what it wrote."""
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True, timeout=60).stdout


def time_of(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Pair:
    """A certificate and its key: files, PEM."""

    def __init__(self, certificate, key):
        self.certificate, self.key = pathlib.Path(certificate), pathlib.Path(key)

    def serial(self):
        """As ssl.SSLSocket.getpeercert has it."""
        return openssl("x509", "-in", self.certificate, "-noout", "-serial").decode().strip().removeprefix("serial=")


class Authority(Pair):
    """A CA in a folder of its own, which is made."""

    def __init__(self, folder, name="ca"):
        super().__init__(folder / "ca.pem", folder / "ca.key")
        self.folder, self.count = folder, 0
        folder.mkdir(parents=True)
        (folder / "index.txt").touch()
        self.configure("DNS:unused")
        new_key(self.key)
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", 30, "-config", folder / "openssl.cnf",
                "-extensions", "authority", "-out", self.certificate)

    def configure(self, name):
        (self.folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=self.folder, name=name))

    def issue(self, name, begins=-DAY, ends=DAY):
        """`name` as a subjectAltName, such as DNS:localhost; the times from now."""
        self.count += 1
        made = Pair(self.folder / f"{self.count}.pem", self.folder / f"{self.count}.key")
        request = self.folder / f"{self.count}.csr"
        now = datetime.datetime.now(datetime.timezone.utc)
        self.configure(name)
        new_key(made.key)
        configuration = ("-config", self.folder / "openssl.cnf")
        openssl("req", "-new", "-key", made.key, "-subj", f"/CN={self.count}", *configuration, "-out", request)
        openssl("ca", "-batch", "-notext", "-in", request, "-cert", self.certificate, "-keyfile", self.key, "-extensions", "leaf",
                "-startdate", time_of(now + begins), "-enddate", time_of(now + ends), *configuration, "-out", made.certificate)
        return made


def new_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    path.chmod(0o600)

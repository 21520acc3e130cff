#!/usr/bin/python3
"""Generates the messages and stubs of consent.v1 for Python, with types: generate_stubs.py --out DIR [--also google/rpc/status.proto]...

Needs protoc and grpc_python_plugin (Debian: protobuf-compiler, protobuf-compiler-grpc) and python3-protobuf. Debian's python3-grpc-tools is
no way to do it: its protoc is of 2018, and what it writes does not load beside Debian's python3-protobuf.

Writes DIR/consent/v1: *_pb2.py, *_pb2.pyi, *_pb2_grpc.py, *_pb2_grpc.pyi, py.typed and service_config.json. protoc writes no types of the
services, so they are written here from the descriptors.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

HERE = pathlib.Path(__file__).resolve().parent
HEAD = '''"""Types of the stubs of {proto}. Written by generate_stubs.py."""

from typing import Any, Optional, Protocol, Sequence, Tuple, TypeVar, Union

{imports}

_Metadata = Sequence[Tuple[str, Union[str, bytes]]]
_Request = TypeVar("_Request", contravariant=True)
_Response = TypeVar("_Response", covariant=True)

class _Unary(Protocol[_Request, _Response]):
    """grpc.UnaryUnaryMultiCallable of these messages; each way raises grpc.RpcError where the call fails."""

    def __call__(self, request: _Request, timeout: Optional[float] = ..., metadata: Optional[_Metadata] = ..., credentials: Any = ...,
                 wait_for_ready: Optional[bool] = ..., compression: Any = ...) -> _Response: ...
    def with_call(self, request: _Request, timeout: Optional[float] = ..., metadata: Optional[_Metadata] = ..., credentials: Any = ...,
                  wait_for_ready: Optional[bool] = ..., compression: Any = ...) -> Tuple[_Response, Any]: ...
    def future(self, request: _Request, timeout: Optional[float] = ..., metadata: Optional[_Metadata] = ..., credentials: Any = ...,
               wait_for_ready: Optional[bool] = ..., compression: Any = ...) -> Any: ...
'''


def find_protos(given):
    """The folder with consent/v1: as given, of the source tree, or as the Debian package libconsent-dev lays it."""
    candidates = [given] if given else [HERE.parents[1] / "proto", pathlib.Path("/usr/share/consent/proto")]
    for folder in candidates:
        if (folder / "consent/v1/types.proto").is_file():
            return folder.resolve()
    sys.exit(f"no consent/v1/types.proto below {' or '.join(map(str, candidates))}; say where with --proto DIR")


def find_program(name, package):
    path = shutil.which(name)
    if path is None:
        sys.exit(f"{name} is not installed; on Debian: apt-get install {package}")
    return path


def python_name(type_name, messages):
    """`.consent.v1.Foo.Bar` as the module's alias and the name within it."""
    module, name = messages[type_name]
    return f"{module}.{name}"


def messages_of(files):
    """Full name of each top-level message -> (module, name)."""
    return {f".{file.package}.{message.name}": (pathlib.Path(file.name).stem + "_pb2", message.name)
            for file in files for message in file.message_type}


def typed_stubs(file, messages):
    """The text of FILE_pb2_grpc.pyi."""
    lines, modules = [], set()
    for service in file.service:
        stub, servicer = [], []
        for method in service.method:
            if method.client_streaming or method.server_streaming:
                sys.exit(f"{file.name}: {method.name} streams, and this generator writes no types of streams yet")
            request, response = (python_name(name, messages) for name in (method.input_type, method.output_type))
            modules |= {name.split(".")[0] for name in (request, response)}
            stub.append(f"    @property\n    def {method.name}(self) -> _Unary[{request}, {response}]: ...")
            servicer.append(f"    def {method.name}(self, request: {request}, context: Any) -> {response}: ...")
        lines += [f"class {service.name}Stub:", "    def __init__(self, channel: Any) -> None: ...", *stub, "",
                  f"class {service.name}Servicer:", *servicer, "",
                  f"def add_{service.name}Servicer_to_server(servicer: {service.name}Servicer, server: Any) -> None: ...", ""]
    imports = "\n".join(f"from {file.package} import {module}" for module in sorted(modules))
    return HEAD.format(proto=file.name, imports=imports) + "\n" + "\n".join(lines)


def generate(protos, out, also=()):
    """Writes everything below `out`, which is made; raises CalledProcessError where protoc fails."""
    names = [f"consent/v1/{path.name}" for path in sorted((protos / "consent/v1").glob("*.proto"))]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        descriptors = pathlib.Path(scratch) / "descriptors"
        subprocess.run([find_program("protoc", "protobuf-compiler"), f"--proto_path={protos}", f"--python_out={out}", f"--pyi_out={out}", f"--grpc_out={out}",
                        f"--plugin=protoc-gen-grpc={find_program('grpc_python_plugin', 'protobuf-compiler-grpc')}",
                        f"--descriptor_set_out={descriptors}", *names, *also], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file
    messages = messages_of(files)
    for file in files:
        written = out / file.name.replace(".proto", "_pb2_grpc.py")
        if file.service:
            written.with_suffix(".pyi").write_text(typed_stubs(file, messages), encoding="utf-8")
        else:
            written.unlink(missing_ok=True)  # the plugin writes an empty one
    package = out / "consent/v1"
    (package / "py.typed").touch()
    shutil.copyfile(protos / "consent/v1/service_config.json", package / "service_config.json")


def main():
    parser = argparse.ArgumentParser(description="Generates the messages and stubs of consent.v1 for Python.")
    parser.add_argument("--proto", type=pathlib.Path, help="the folder that holds consent/v1")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where to write; on PYTHONPATH it makes `import consent.v1.types_pb2` work")
    parser.add_argument("--also", action="append", default=[], help="a further proto, by its path from the folder; again for more")
    options = parser.parse_args()
    generate(find_protos(options.proto), options.out.resolve(), options.also)


if __name__ == "__main__":
    main()

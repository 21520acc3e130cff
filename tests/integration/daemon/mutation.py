"""Malformed HTTP/2 made of good calls: frames, header blocks (HPACK), metadata, messages. A seed and a case's number give the same bytes again."""

import random
import struct

from hostile import ACK, ACKNOWLEDGE, CONTINUATION, DATA, END_HEADERS, END_STREAM, GREETING, HEADERS, PING, RESET, SETTINGS, WINDOW_UPDATE, frame, length

PADDED, PRIORITY_FLAG = 8, 32
PRIORITY, PUSH_PROMISE, GOAWAY = 2, 5, 7
DONE = b"fuzzdone"  # of the PING that ends each case
INTEGERS = (b"\xff" * 9 + b"\x01", b"\xff" * 10, b"\x80" * 9 + b"\0", b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x7f", b"\0", b"\x7f\x80\x80\x80\x80\x01")
# Metadata that a server reads itself, and what no client should send.
METADATA = ((b"grpc-timeout", b"1n"), (b"grpc-timeout", b"99999999H"), (b"grpc-timeout", b"-1S"), (b"grpc-timeout", b""), (b"grpc-timeout", b"1" * 40 + b"S"),
            (b"grpc-encoding", b"gzip"), (b"grpc-encoding", b"identity,gzip"), (b"grpc-accept-encoding", b"," * 200), (b"content-type", b"text/html"),
            (b"content-type", b""), (b"te", b"gzip"), (b"te", b""), (b":path", b"/"), (b":method", b"GET"), (b":scheme", b"ftp"), (b":status", b"200"), (b":authority", b"\xff"),
            (b"x-bin", b"!not base64!"), (b"grpc-trace-bin", b"AAAA"), (b"grpc-trace-bin", b"="), (b"grpc-tags-bin", b"A" * 3000), (b"user-agent", b"u" * 4000),
            (b"traceparent", b"00-" + b"0" * 32 + b"-" + b"f" * 16 + b"-zz"), (b"traceparent", b"-" * 300), (b"host", b"a"), (b"connection", b"close"),
            (b"transfer-encoding", b"chunked"), (b"UPPER", b"case"), (b"", b""), (b"a", b"\0\r\n"), (b"grpc-previous-rpc-attempts", b"-9"),
            (b"grpc-retry-pushback-ms", b"x"), (b"grpc-status", b"0"), (b"content-length", b"18446744073709551616"), (b"lb-cost-bin", b"AAAAAAAAAAA"))


class Mutator:
    """Makes one case: what one connection sends."""

    def __init__(self, seed, number, calls):
        """`calls`: pairs of a path and a good message."""
        self.random, self.calls = random.Random(f"{seed}/{number}"), calls
        # What ends a whole connection is left out of most cases, or nothing else would be reached.
        self.is_rough = self.random.random() < 0.4

    def chance(self, share):
        return self.random.random() < share

    def rough(self, share):
        return self.is_rough and self.chance(share)

    def spoil(self, data, most=4):
        """Changes, moves, repeats, cuts and puts in some bytes."""
        data = bytearray(data)
        for _ in range(self.random.randint(1, most)):
            at, size = self.random.randint(0, len(data)), self.random.choice((1, 1, 2, 4, 16, 64))
            how = self.random.randrange(7)
            if how == 0 and at < len(data):
                data[at] ^= 1 << self.random.randrange(8)
            elif how == 1 and at < len(data):
                data[at] = self.random.choice((0, 1, 0x7f, 0x80, 0xff, self.random.randrange(256)))
            elif how == 2:
                data[at:at] = self.random.randbytes(size)
            elif how == 3:
                del data[at:at + size]
            elif how == 4:
                data[at:at] = data[at:at + size] * self.random.choice((1, 2, 50))
            elif how == 5:
                data[at:at + self.random.choice((0, 1, 5))] = self.random.choice(INTEGERS)
            elif self.chance(0.3):
                del data[at:]
        return bytes(data)

    def message(self, good):
        """A message's bytes with gRPC's five before them."""
        if self.chance(0.7):
            good = self.spoil(good)
        if self.chance(0.1):
            other = self.random.choice(self.calls)[1]
            good = good[:self.random.randint(0, len(good))] + other[self.random.randint(0, len(other)):]
        flag, size = (0, len(good)) if self.chance(0.9) else (self.random.choice((0, 1, 2, 255)), self.random.choice((0, len(good) + 1, len(good) - 1, 2**32 - 1, 5 << 20)))
        return bytes([flag]) + struct.pack(">I", size & 0xffffffff) + good

    def field(self, name, value):
        """One header in one of HPACK's forms."""
        form = self.random.choice((b"\0", b"\0", b"\x40", b"\x10"))
        return form + length(len(name)) + name + length(len(value)) + value

    def block(self, path):
        fields = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", path), (b":authority", b"localhost"), (b"te", b"trailers"),
                  (b"content-type", b"application/grpc")]
        if self.chance(0.15):
            fields += [self.random.choice(METADATA) for _ in range(self.random.randint(1, 4))]
        if self.chance(0.05):
            self.random.shuffle(fields)
        if self.chance(0.05):
            del fields[self.random.randrange(len(fields))]
        if self.chance(0.05):
            fields[2] = (b":path", self.spoil(path))
        made = b"".join(self.field(name, value) for name, value in fields)
        if self.rough(0.05):
            # A change of the table's size, an index of no entry, a Huffman string of garbage.
            made = self.random.choice((b"\x3f" + b"\xff" * 5, b"\x20", b"\x80", b"\xff" + b"\xff" * 9, b"\xff\x00", b"\0\x85" + self.random.randbytes(5))) + made
        return self.spoil(made) if self.rough(0.1) else made

    def pieces(self, data, most):
        cuts = sorted(self.random.randint(0, len(data)) for _ in range(self.random.randint(0, most)))
        return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)])]

    def padded(self, kind, flags, stream, body):
        if self.chance(0.05):
            pad = self.random.randrange(256)
            body, flags = bytes([pad]) + body + bytes(self.random.choice((pad, 0)) if self.is_rough else pad), flags | PADDED
        if kind == HEADERS and self.chance(0.05):
            body, flags = self.random.randbytes(5) + body, flags | PRIORITY_FLAG
        return frame(kind, flags, stream, body)

    def call(self, stream):
        path, good = self.random.choice(self.calls)
        blocks = self.pieces(self.block(path), 2 if self.chance(0.2) else 0)
        out = []
        for number, part in enumerate(blocks):
            last = END_HEADERS if number == len(blocks) - 1 or self.rough(0.02) else 0
            out.append(self.padded(HEADERS, last, stream, part) if number == 0 else frame(CONTINUATION, last, stream, part))
        data = self.pieces(self.message(good), 3 if self.chance(0.2) else 0)
        for number, part in enumerate(data):
            out.append(self.padded(DATA, END_STREAM if number == len(data) - 1 and not self.chance(0.03) else 0, stream, part))
        if self.chance(0.05):
            out.append(frame(RESET, 0, stream, struct.pack(">I", 8)))
        if self.rough(0.05):
            self.random.shuffle(out)
        return b"".join(out)

    def odd_frame(self, stream):
        number = struct.pack(">I", self.random.choice((0, 1, 0x7fffffff, 0xffffffff, self.random.getrandbits(32))))
        made = self.random.choice((
            lambda: frame(WINDOW_UPDATE, 0, self.random.choice((0, stream)), number),
            lambda: frame(SETTINGS, self.random.choice((0, ACK)), self.random.choice((0, 0, stream)),
                          struct.pack(">H", self.random.randrange(9)) + number + bytes(self.random.choice((0, 0, 1)))),
            lambda: frame(PING, self.random.choice((0, ACK)), 0, bytes(self.random.choice((0, 7, 8, 8, 9)))),
            lambda: frame(RESET, 0, self.random.choice((0, stream, stream + 100)), number[:self.random.choice((3, 4))]),
            lambda: frame(PRIORITY, 0, self.random.choice((0, stream)), number + b"\x10"),
            lambda: frame(PUSH_PROMISE, END_HEADERS, stream, number + self.block(b"/")),
            lambda: frame(GOAWAY, 0, 0, number + number + b"bye"),
            lambda: frame(DATA, self.random.choice((0, END_STREAM)), self.random.choice((0, stream, stream + 2, max(0, stream - 2))), self.random.randbytes(20)),
            lambda: frame(CONTINUATION, END_HEADERS, stream, self.random.randbytes(20)),
            lambda: frame(self.random.randrange(256), self.random.randrange(256), self.random.getrandbits(31), self.random.randbytes(self.random.randrange(64))),
        ))
        return made()

    def bytes(self):
        """All that the connection sends. Where nothing of it ends the connection, the last PING is answered."""
        parts = [GREETING, ACKNOWLEDGE] if not self.rough(0.1) else [self.spoil(GREETING), ACKNOWLEDGE]
        odd = self.random.choice((0, 0.1, 0.5)) if self.is_rough else 0
        for number in range(self.random.randint(1, 24)):
            stream = 2 * number + 1 if not self.rough(0.01) else self.random.getrandbits(31)
            parts.append(self.odd_frame(stream) if self.chance(odd) else self.call(stream))
        sent = b"".join(parts)
        if self.rough(0.2):
            sent = sent[:len(GREETING)] + self.spoil(sent[len(GREETING):], 20)
        return sent + frame(PING, 0, 0, DONE)


ANSWERED = frame(PING, ACK, 0, DONE)

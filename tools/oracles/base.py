#!/usr/bin/env python3
"""Expected numbers of tests/unit/base/test_rng.c and tests/unit/tensor/test_tensor.c, computed
without Nodule: Philox4x32-10 written from the paper (Salmon et al., SC'11, section 3.3, checked
against the known answers of Random123), the stream rules of src/base/rng.c, and hashlib.

    python3 tools/oracles/base.py

Needs only Python 3 (made with 3.11)."""
import hashlib
import math
import struct

MASK = 0xFFFFFFFF


def philox(counter, key, rounds=10):
    c, k = list(counter), list(key)
    for i in range(rounds):
        if i:
            k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
    return c


assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
assert philox([MASK] * 4, [MASK] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


class Stream:
    def __init__(self, seed, purpose, index):
        self.key = [seed & MASK, seed >> 32]
        self.rest = [purpose, index & MASK, index >> 32]
        self.block, self.words, self.spare = 0, [], None

    def u32(self):
        if not self.words:
            self.words = philox([self.block] + self.rest, self.key)
            self.block += 1
        return self.words.pop(0)

    def uniform(self):
        a = self.u32() >> 5
        b = self.u32() >> 6
        return (a * 2**26 + b) / 2**53

    def normal(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        u = 1.0 - self.uniform()
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log(u))
        self.spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def below(self, n):
        while True:
            low = self.u32()
            x = self.u32() << 32 | low
            if x >= 2**64 % n:
                return x % n

    def shuffle(self, items):
        for i in range(len(items), 1, -1):
            j = self.below(i)
            items[j], items[i - 1] = items[i - 1], items[j]
        return items


def make():
    return Stream(0x0123456789ABCDEF, 9, 0x1122334455667788)


def text(t):
    return struct.pack("<q", len(t)) + t.encode()


def main():
    s = make()
    print("u32:    ", ", ".join("0x%08x" % s.u32() for _ in range(6)))
    s = make()
    print("uniform:", ", ".join(s.uniform().hex() for _ in range(3)))
    s = make()
    print("normal: ", ", ".join("%.17g" % s.normal() for _ in range(3)))
    s = make()
    print("below:  ", ", ".join("%d" % s.below(n) for n in (1, 7, 1000, 2**63 + 1, 2**64 - 1)))
    print("shuffle:", ", ".join("%d" % i for i in make().shuffle(list(range(10)))))
    body = text("f32") + struct.pack("<qqq", 2, 2, 3) + struct.pack("<6f", *range(6))
    print("tensor: ", hashlib.sha256(body).hexdigest())
    print("strings:", hashlib.sha256(text("ab") + text("c") + struct.pack("<q", -2)).hexdigest())


if __name__ == "__main__":
    main()

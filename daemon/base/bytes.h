// Our own canonical binary encoding: what goes to disk and under hashes. Little-endian varints (LEB128), fixed
// big-endian integers where order matters, length-prefixed strings. One value has one encoding: readers refuse
// over-long varints.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace consent::base {

using Bytes16 = std::array<uint8_t, 16>;
using Digest = std::array<uint8_t, 32>;

template <size_t N>
std::string_view View(const std::array<uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

// The form in which C libraries take bytes.
inline const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Appends to a string that the caller owns. Cannot fail.
class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}
  void Byte(uint8_t v) { out_->push_back(static_cast<char>(v)); }
  void Varint(uint64_t v) {
    while (v >= 0x80) {
      Byte(static_cast<uint8_t>(v) | 0x80);
      v >>= 7;
    }
    Byte(static_cast<uint8_t>(v));
  }
  // `width` low bytes of v, most significant first; width 1..8.
  void BigEndian(uint64_t v, int width) {
    for (int i = width - 1; i >= 0; --i) Byte(static_cast<uint8_t>(v >> (8 * i)));
  }
  void Raw(std::string_view bytes) { out_->append(bytes); }
  void String(std::string_view bytes) {
    Varint(bytes.size());
    Raw(bytes);
  }

 private:
  std::string* out_;
};

// Reads from bytes that outlive it. After the first failure every read returns zero or empty and ok() is false:
// check once, at the end, before any value is used.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}
  uint8_t Byte() { return Has(1) ? static_cast<uint8_t>(*at_++) : 0; }
  uint64_t Varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t b = Byte();
      if (!ok_) return 0;
      if (shift == 63 && b > 1) break;
      v |= static_cast<uint64_t>(b & 0x7f) << shift;
      if ((b & 0x80) == 0) {
        if (b == 0 && shift != 0) break;  // over-long: not canonical
        return v;
      }
    }
    ok_ = false;
    return 0;
  }
  // 1 to 8 bytes.
  uint64_t BigEndian(int width) {
    if (!Has(static_cast<size_t>(width))) return 0;
    uint64_t v = 0;
    if (static_cast<size_t>(end_ - at_) >= sizeof v) {  // one load, of which the upper bytes count
      std::memcpy(&v, at_, sizeof v);
      at_ += width;
      return __builtin_bswap64(v) >> (64 - 8 * width);
    }
    for (int i = 0; i < width; ++i) v = v << 8 | static_cast<uint8_t>(*at_++);
    return v;
  }
  std::string_view Raw(size_t n) {
    if (!Has(n)) return {};
    std::string_view bytes(at_, n);
    at_ += n;
    return bytes;
  }
  // At most `limit` bytes.
  std::string_view String(size_t limit) {
    const uint64_t n = Varint();
    if (n > limit) ok_ = false;
    return ok_ ? Raw(static_cast<size_t>(n)) : std::string_view{};
  }
  template <size_t N>
  std::array<uint8_t, N> Array() {
    std::array<uint8_t, N> bytes{};
    const std::string_view raw = Raw(N);
    if (ok_) std::memcpy(bytes.data(), raw.data(), N);
    return bytes;
  }
  void Fail() { ok_ = false; }
  bool ok() const { return ok_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  // Everything read and nothing left over.
  bool Done() const { return ok_ && at_ == end_; }

 private:
  bool Has(size_t n) {
    if (ok_ && remaining() >= n) return true;
    ok_ = false;
    return false;
  }
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace consent::base

#include "daemon/domain/standards.h"

#include <algorithm>
#include <bitset>
#include <vector>

#include "absl/strings/ascii.h"

namespace consent::domain {
namespace {

// In order, two letters each.
constexpr std::string_view kAssigned =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCD"
    "CFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGF"
    "GGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKN"
    "KPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNA"
    "NCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSI"
    "SJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVI"
    "VNVUWFWSYEYTZAZMZW";

struct Confused {
  std::string_view written;
  std::string_view meant;
};
// ISO 3166-1 reserves or once assigned them; people, cars and the European Union write them.
constexpr Confused kConfused[] = {
    {"AN", "CW"}, {"BU", "MM"}, {"CS", "RS"}, {"DD", "DE"}, {"EL", "GR"}, {"EN", "GB"}, {"FX", "FR"},
    {"JA", "JP"}, {"SU", "RU"}, {"TP", "TL"}, {"UK", "GB"}, {"YU", "RS"}, {"ZR", "CD"},
};

std::string CountryOf(Region region) { return region.Country().ToString(); }

std::vector<std::string_view> Split(std::string_view tag) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0;;) {
    const size_t end = tag.find('-', begin);
    parts.push_back(tag.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

bool AllOf(std::string_view text, bool (*is)(unsigned char)) {
  return std::all_of(text.begin(), text.end(), [is](char c) { return is(static_cast<unsigned char>(c)); });
}
bool IsAlpha(std::string_view part, size_t least, size_t most) {
  return part.size() >= least && part.size() <= most && AllOf(part, absl::ascii_isalpha);
}
bool IsAlnum(std::string_view part, size_t least, size_t most) {
  return part.size() >= least && part.size() <= most && AllOf(part, absl::ascii_isalnum);
}
bool IsVariant(std::string_view part) {
  return IsAlnum(part, 5, 8) || (IsAlnum(part, 4, 4) && absl::ascii_isdigit(static_cast<unsigned char>(part[0])));
}

// The subtags of one tag, from the left.
class Subtags {
 public:
  explicit Subtags(std::string_view tag) : parts_(Split(tag)) {}

  bool Parse() {
    if (TakePrivateUse()) return Done();
    if (!TakeLanguage()) return false;
    if (More() && IsAlpha(Next(), 4, 4)) ++at_;  // script
    if (More() && (IsAlpha(Next(), 2, 2) || (Next().size() == 3 && AllOf(Next(), absl::ascii_isdigit)))) {
      ++at_;  // region
    }
    return TakeVariants() && TakeExtensions() && (TakePrivateUse() || true) && Done();
  }

 private:
  bool More() const { return at_ < parts_.size(); }
  bool Done() const { return at_ == parts_.size(); }
  std::string_view Next() const { return parts_[at_]; }

  bool TakeLanguage() {
    if (!More() || !IsAlpha(Next(), 2, 8)) return false;
    const bool may_extend = Next().size() <= 3;
    ++at_;
    for (int i = 0; may_extend && i < 3 && More() && IsAlpha(Next(), 3, 3); ++i) ++at_;
    return true;
  }
  // None twice.
  bool TakeVariants() {
    for (; More() && IsVariant(Next()); ++at_) {
      if (!Once(Next())) return false;
    }
    return true;
  }
  bool TakeExtensions() {
    while (More() && IsAlnum(Next(), 1, 1) && absl::ascii_tolower(static_cast<unsigned char>(Next()[0])) != 'x') {
      if (!Once(Next())) return false;
      const size_t begin = ++at_;
      while (More() && IsAlnum(Next(), 2, 8)) ++at_;
      if (at_ == begin) return false;
    }
    return true;
  }
  bool TakePrivateUse() {
    if (!More() || (Next() != "x" && Next() != "X")) return false;
    const size_t begin = ++at_;
    while (More() && IsAlnum(Next(), 1, 8)) ++at_;
    if (at_ == begin) at_ = parts_.size() + 1;  // nothing follows: never done
    return true;
  }
  bool Once(std::string_view part) {
    std::string lower = absl::AsciiStrToLower(std::string(part));
    if (std::find(seen_.begin(), seen_.end(), lower) != seen_.end()) return false;
    seen_.push_back(std::move(lower));
    return true;
  }

  const std::vector<std::string_view> parts_;
  std::vector<std::string> seen_;
  size_t at_ = 0;
};

}  // namespace

bool IsAssigned(Region region) {
  static const std::bitset<Region::kCountryIndices> assigned = [] {
    std::bitset<Region::kCountryIndices> all;
    for (size_t at = 0; at < kAssigned.size(); at += 2) {
      Region country;
      if (Region::Parse(kAssigned.substr(at, 2), &country)) all.set(country.CountryIndex());
    }
    return all;
  }();
  const uint32_t index = region.CountryIndex();
  return index < assigned.size() && assigned[index];
}

bool IsUserAssigned(Region region) {
  const std::string code = CountryOf(region);
  if (code.size() != 2) return false;
  return code == "AA" || code == "ZZ" || code[0] == 'X' || (code[0] == 'Q' && code[1] >= 'M');
}

std::string_view CodeMeantBy(Region region) {
  const std::string code = CountryOf(region);
  for (const Confused& one : kConfused) {
    if (one.written == code) return one.meant;
  }
  return {};
}

std::string WhyNotAssigned(Region region) {
  std::string why = CountryOf(region);
  if (IsUserAssigned(region)) return why + " is user-assigned in ISO 3166-1: the policy must name it";
  why += " is not assigned by ISO 3166-1";
  const std::string_view meant = CodeMeantBy(region);
  if (!meant.empty()) why += ": " + std::string(meant) + " is meant";
  return why;
}

bool IsLanguageTag(std::string_view tag) { return tag.size() <= kMaxLanguageTagBytes && Subtags(tag).Parse(); }

}  // namespace consent::domain

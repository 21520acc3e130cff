// Who stands behind a call, so far as that can be proved: for what takes two persons.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/random_id.h"

namespace consent::service {

// How somebody showed who he is. Zero proves nothing.
enum class PersonKind : uint8_t {
  kUnknown = 0,      // a TCP listener without certificates: anybody on this machine
  kCertificate = 1,  // the certificate of a TLS connection
  kUser = 2,         // the user that connected to a Unix socket, as the kernel says it (unix(7), SO_PEERCRED)
};

// A value. Nobody can know that one human has two certificates, or two users: what is promised is that two persons are
// two of these, shown the same way.
struct Person {
  PersonKind kind = PersonKind::kUnknown;
  // As lists and history show it, 1 to kMaxPersonBytes: the caller's name in the callers' file, or the listener's with
  // the user.
  std::string name;
  // SHA-256 of all that the peer proved: each name and the public key of a certificate; a user's number. At most
  // kMaxMarks; a certificate with more proves nothing here.
  std::vector<base::Digest> marks;
  bool IsKnown() const { return kind != PersonKind::kUnknown && !marks.empty(); }
  bool operator==(const Person&) const = default;
};
inline constexpr size_t kMaxPersonBytes = 96;
inline constexpr size_t kMaxMarks = 32;

// Why `a` and `b` are not surely two persons, in one word as metadata says it; nullptr: they are two. Two certificates
// of one caller are one person, whatever else they name; so are two callers whose certificates have a name or the key
// in common. Who showed it in different ways cannot be compared.
inline const char* WhyNotTwo(const Person& a, const Person& b) {
  if (!a.IsKnown() || !b.IsKnown()) return "unknown";
  if (a.kind != b.kind) return "other_way";
  if (a.kind == PersonKind::kCertificate && a.name == b.name) return "same_caller";
  const bool shares = std::any_of(a.marks.begin(), a.marks.end(), [&b](const base::Digest& mark) {
    return std::find(b.marks.begin(), b.marks.end(), mark) != b.marks.end();
  });
  if (shares) return a.kind == PersonKind::kUser ? "same_user" : "same_certificate";
  return nullptr;
}

// What somebody proposed and somebody else approved. The one who approved carries it out, and is its caller.
struct Approval {
  base::ProposalId proposal;
  std::string proposed_by;
  std::string approved_by;
  // Given by nobody: one person does it alone.
  bool IsSet() const { return proposal != base::ProposalId{}; }
  bool operator==(const Approval&) const = default;
};

// Who proposed and who approved, for an event's detail; empty where one person did it.
inline std::string DetailOf(const std::string& proposed_by, const std::string& approved_by) {
  return proposed_by.empty() ? std::string() : "proposed by " + proposed_by + ", approved by " + approved_by;
}

}  // namespace consent::service

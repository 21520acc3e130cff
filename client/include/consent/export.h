// What of the library other programs link: CONSENT_EXPORT marks it, and the shared library exports nothing else.
#pragma once

#if __cplusplus < 202002L
#error "the headers of consent are C++20: compile with -std=c++20, or link the CMake target consent::client"
#endif

#define CONSENT_EXPORT __attribute__((visibility("default")))

# libconsent.so, and all that other programs need to link it: its headers, the protos, and what finds them.
#
# Its messages are protoc's lite ones, which have no descriptors: a program that has generated the same protos itself, or others'
# google/rpc, would else end at its start, because a descriptor may be registered once in a process. So the sources of the library are
# compiled here once more, with those messages.
get_target_property(value_sources consent_client_values SOURCES)
get_target_property(line_sources consent_lines SOURCES)
get_target_property(client_sources consent_client SOURCES)
add_library(consent_shared SHARED ${value_sources} ${line_sources} ${client_sources})
set_target_properties(consent_shared PROPERTIES
  OUTPUT_NAME consent
  EXPORT_NAME client
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}
  CXX_VISIBILITY_PRESET hidden
  VISIBILITY_INLINES_HIDDEN ON
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/consent.map)
target_compile_features(consent_shared PUBLIC cxx_std_20)
target_compile_options(consent_shared PRIVATE ${CONSENT_OUTER_FLAGS})
target_include_directories(consent_shared
  PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
  PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(consent_shared
  PUBLIC absl::status absl::statusor
  PRIVATE consent_flags consent::base consent::domain consent_grpc_lite OpenSSL::Crypto absl::cord nlohmann_json::nlohmann_json)
# Whatever else the compiler emits (the standard library's templates) stays inside, and nothing is left for the program to bring along.
target_link_options(consent_shared PRIVATE
  LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/consent.map LINKER:--exclude-libs,ALL LINKER:--as-needed LINKER:-z,defs)

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/consent)
install(TARGETS consent_shared EXPORT consentTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(DIRECTORY include/consent DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/proto/consent ${PROJECT_SOURCE_DIR}/proto/google
  DESTINATION ${CMAKE_INSTALL_DATADIR}/consent/proto COMPONENT development
  FILES_MATCHING PATTERN "*.proto" PATTERN "service_config.json")
install(EXPORT consentTargets NAMESPACE consent:: DESTINATION ${package} COMPONENT development)
configure_package_config_file(consentConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/consentConfig.cmake INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_DATADIR)
# Until 1.0 a minor version may change what is exported.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/consentConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/consentConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/consentConfigVersion.cmake
  DESTINATION ${package} COMPONENT development)

# The prefix is where the file lies, so that an installed tree may be moved.
set(CONSENT_FROM_PC_TO_PREFIX ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  file(RELATIVE_PATH CONSENT_FROM_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  set(CONSENT_FROM_PC_TO_PREFIX "\${pcfiledir}/${CONSENT_FROM_PC_TO_PREFIX}")
  string(REGEX REPLACE "/$" "" CONSENT_FROM_PC_TO_PREFIX "${CONSENT_FROM_PC_TO_PREFIX}")
endif()
configure_file(consent.pc.in ${CMAKE_CURRENT_BINARY_DIR}/consent.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/consent.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

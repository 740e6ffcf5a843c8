// Result<T>: a value, or the diagnostics that say why there is none.
#pragma once

#include <optional>
#include <utility>

#include "golden/base/check.h"
#include "golden/base/diagnostics.h"

namespace edgebert {

/// Holds either a T or a non-empty Error. Reading the value of a failed result is our own bug and
/// stops the program.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}     // NOLINT: implicit by design
  Result(Error error) : error_(std::move(error)) {  // NOLINT: implicit by design
    EB_CHECK(!error_.empty(), "a failed result must carry a diagnostic");
  }

  [[nodiscard]] bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] const T& value() const& {
    EB_CHECK(ok(), "{}", error_.Format());
    return *value_;
  }
  [[nodiscard]] T& value() & {
    EB_CHECK(ok(), "{}", error_.Format());
    return *value_;
  }
  [[nodiscard]] T&& value() && {
    EB_CHECK(ok(), "{}", error_.Format());
    return std::move(*value_);
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  [[nodiscard]] const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

/// Success, or an error; for functions that return nothing.
struct Unit {};
using Status = Result<Unit>;
inline Status Ok() { return Unit{}; }

}  // namespace edgebert

/// `EB_ASSIGN_OR_RETURN(auto image, LoadImage(path));`: binds the value or returns the error.
#define EB_ASSIGN_OR_RETURN(declaration, expression) \
  EB_ASSIGN_OR_RETURN_IMPL_(EB_CONCAT_(eb_result_, __LINE__), declaration, expression)
#define EB_ASSIGN_OR_RETURN_IMPL_(result, declaration, expression) \
  auto result = (expression);                                      \
  if (!result.ok()) return result.error();                         \
  declaration = std::move(result).value()
#define EB_RETURN_IF_ERROR(expression)             \
  do {                                             \
    auto eb_status = (expression);                 \
    if (!eb_status.ok()) return eb_status.error(); \
  } while (false)
#define EB_CONCAT_(a, b) EB_CONCAT_IMPL_(a, b)
#define EB_CONCAT_IMPL_(a, b) a##b

// Value of a Result; an error ends the program.
#pragma once

#include <utility>

#include "golden/base/check.h"
#include "golden/base/result.h"

namespace edgebert {

template <typename T>
T Value(Result<T> result) {
  EB_CHECK(result.ok(), "{}", result.error().Format());
  return std::move(*result);
}

}  // namespace edgebert

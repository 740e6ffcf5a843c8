// Activation functions of the post-processor (docs/numerics.md section 4).
#pragma once

#include <cstdint>

#include "golden/spec/isa.h"

namespace edgebert::model {

/// Activation of a Fixed.
[[nodiscard]] int64_t Activate(spec::Activation activation, int64_t x);

}  // namespace edgebert::model

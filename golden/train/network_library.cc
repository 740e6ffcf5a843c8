// Opens the LibTorch half of the trainer, EDGEBERT_NETWORK.
#include <dlfcn.h>

#include "golden/base/check.h"
#include "golden/train/network.h"

namespace edgebert::train {

std::unique_ptr<Network> CreateNetwork(const Shape& shape, const TensorMap& weights,
                                       const Recipe& recipe) {
  using Create = Network* (*)(const Shape&, const TensorMap&, const Recipe&);
  static const auto create = [] {
    void* const library = dlopen(EDGEBERT_NETWORK, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    EB_CHECK(library != nullptr, "{}", dlerror());
    return reinterpret_cast<Create>(dlsym(library, "EbCreateNetwork"));
  }();
  EB_CHECK(create != nullptr, "{}", dlerror());
  return std::unique_ptr<Network>(create(shape, weights, recipe));
}

}  // namespace edgebert::train

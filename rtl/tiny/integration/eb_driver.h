/* Driver of eb_top: what a host does, on two functions that reach its registers. C99. */
#ifndef EB_DRIVER_H
#define EB_DRIVER_H

#include <stdint.h>

/* The register window. `context` is passed through. */
struct eb_bus {
  void *context;
  uint32_t (*read)(void *context, uint32_t offset);
  void (*write)(void *context, uint32_t offset, uint32_t value);
};

/* Where a program and its weights are in the memory behind m_axi. */
struct eb_image {
  uint64_t program;
  uint64_t weights;
  uint32_t instructions;
  uint32_t resident_bytes; /* of the weights, to keep on chip; 0: none */
};

struct eb_sentence {
  uint64_t tokens;    /* address of 32-bit token words */
  uint64_t results;   /* address of the result record */
  uint32_t length;    /* tokens */
  uint32_t threshold; /* entropy, unsigned Q16.16; 0: full depth */
};

struct eb_result {
  uint32_t exit_layer;
  uint32_t prediction;
  uint32_t entropy;
  uint64_t cycles;
};

enum {
  EB_DRIVER_OK = 0,
  EB_DRIVER_NOT_OURS = -1, /* another IDENTITY, VERSION or CONFIG_HASH than in eb_registers.h */
  EB_DRIVER_TIMEOUT = -2   /* polled `polls` times in vain; the command was aborted */
};

/* Each returns EB_DRIVER_OK, a negative number above, or an error code of eb_registers.h. STATUS is
   polled at most `polls` times; a system with interrupts waits for irq_o instead. */
int eb_load(const struct eb_bus *bus, const struct eb_image *image, uint32_t polls);
int eb_run(const struct eb_bus *bus, const struct eb_sentence *sentence, uint32_t polls,
           struct eb_result *result);
int32_t eb_logit(const struct eb_bus *bus, uint32_t class_index);

#endif

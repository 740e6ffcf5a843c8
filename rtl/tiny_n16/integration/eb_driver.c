#include "eb_driver.h"

#include "../eb_registers.h"

static uint32_t get(const struct eb_bus *bus, uint32_t offset) {
  return bus->read(bus->context, offset);
}

static void put(const struct eb_bus *bus, uint32_t offset, uint32_t value) {
  bus->write(bus->context, offset, value);
}

static void put_address(const struct eb_bus *bus, uint32_t low_offset, uint64_t address) {
  put(bus, low_offset, (uint32_t)address);
  put(bus, low_offset + 4u, (uint32_t)(address >> 32));
}

/* Gives a command, waits for its end, and clears what it left in IRQ_STATUS. */
static int command(const struct eb_bus *bus, uint32_t bit, uint32_t polls) {
  uint32_t status;
  put(bus, EB_CONTROL, bit);
  do {
    status = get(bus, EB_STATUS);
  } while ((status & EB_STATUS_BUSY) != 0u && polls-- > 0u);
  if ((status & EB_STATUS_BUSY) != 0u) {
    put(bus, EB_CONTROL, EB_CONTROL_ABORT);
    return EB_DRIVER_TIMEOUT;
  }
  put(bus, EB_IRQ_STATUS, EB_IRQ_STATUS_DONE | EB_IRQ_STATUS_ERROR | EB_IRQ_STATUS_ABORTED |
                              EB_IRQ_STATUS_TIMEOUT);
  if ((status & EB_STATUS_ERROR) != 0u) {
    return (int)((get(bus, EB_ERROR) & EB_ERROR_CODE_MASK) >> EB_ERROR_CODE_SHIFT);
  }
  return EB_DRIVER_OK;
}

int eb_load(const struct eb_bus *bus, const struct eb_image *image, uint32_t polls) {
  if (get(bus, EB_IDENTITY) != EB_IDENTITY_VALUE || get(bus, EB_VERSION) != EB_VERSION_VALUE ||
      get(bus, EB_CONFIG_HASH) != EB_CONFIG_HASH_VALUE) {
    return EB_DRIVER_NOT_OURS;
  }
  put_address(bus, EB_PROGRAM_BASE_LOW, image->program);
  put_address(bus, EB_WEIGHT_BASE_LOW, image->weights);
  put(bus, EB_PROGRAM_LENGTH, image->instructions);
  put(bus, EB_RESIDENT_BYTES, image->resident_bytes);
  return command(bus, EB_CONTROL_LOAD, polls);
}

int eb_run(const struct eb_bus *bus, const struct eb_sentence *sentence, uint32_t polls,
           struct eb_result *result) {
  int code;
  put_address(bus, EB_TOKEN_BASE_LOW, sentence->tokens);
  put_address(bus, EB_RESULT_BASE_LOW, sentence->results);
  put(bus, EB_LENGTH, sentence->length);
  put(bus, EB_THRESHOLD, sentence->threshold);
  code = command(bus, EB_CONTROL_START, polls);
  if (code != EB_DRIVER_OK) return code;
  result->exit_layer = get(bus, EB_EXIT_LAYER);
  result->prediction = get(bus, EB_PREDICTION);
  result->entropy = get(bus, EB_ENTROPY);
  result->cycles = get(bus, EB_COUNTER_CYCLES);
  result->cycles |= (uint64_t)get(bus, EB_COUNTER_CYCLES + 4u) << 32;
  return EB_DRIVER_OK;
}

int32_t eb_logit(const struct eb_bus *bus, uint32_t class_index) {
  return (int32_t)get(bus, EB_LOGITS + 4u * class_index);
}

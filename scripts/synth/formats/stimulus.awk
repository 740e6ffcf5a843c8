# VCD of the ports of u_vmac_array to rows of its column 0, in a format: a line a cycle, "load row a b" in hexadecimal,
# for -v kind=KIND -v bits=CODE_BITS -v expbits=EXPONENT_BITS. The values are those of the accelerator's
# AdaptivFloat<8,3>, times a power of two (or, of integers, to 127) so that they fill the range, each rounded to
# the nearest.
function two(e,  v) { v = 1; for (; e > 0; --e) v *= 2; return v }
function hex(binary,  text, i, digit) {
  text = ""
  for (i = length(binary) - 3; i >= 1; i -= 4) {
    digit = substr(binary, i, 4)
    text = sprintf("%x", 8 * substr(digit, 1, 1) + 4 * substr(digit, 2, 1) + 2 * substr(digit, 3, 1) + substr(digit, 4, 1)) text
  }
  return text
}
function value(code, k, n, x,  man, e, m, v) {
  if (k ~ /^int8_/) {
    if (k == "int8_magnitude") return code < 128 ? code : 128 - code
    return code < 128 ? code : code - 256
  }
  man = n - 1 - x
  m = code % two(man)
  e = int(code / two(man)) % two(x)
  v = two(man) + m
  if (k == "af" && code % two(n - 1) == 0) v = 0
  if (k == "minifloat" && e == 0) v = m
  if (k == "minifloat" && e > 0) e--
  v *= two(e)
  return code >= two(n - 1) ? -v : v
}
# IEEE bits of the upper half of a single.
function bfloat(v,  s, e) {
  if (v == 0) return 0
  s = v < 0 ? 32768 : 0
  if (v < 0) v = -v
  for (e = 127; v >= 2; v /= 2) e++
  return s + e * 128 + int((v - 1) * 128)
}
function binary(v, n,  text) { for (text = ""; n > 0; --n) { text = (v % 2) text; v = int(v / 2) } return text }
BEGIN {
  count = kind == "bf16" ? 0 : two(bits)
  for (c = 0; c < count; ++c) {
    # Reserved codes, and a zero or a -128 that there is twice or that has no partner, are not used.
    if (kind == "minifloat" && ((expbits == 5 && int(c / 4) % 32 == 31) || (expbits == 4 && c % 128 == 127))) continue
    if (kind != "int8_magnitude" && kind !~ /^int8/ && c > 0 && c % two(bits - 1) == 0) continue
    if (kind ~ /^int8/ && c == 128) continue
    of[c] = value(c, kind, bits, expbits)
    if (of[c] > largest) largest = of[c]
  }
  scale = largest / 3968
  if (kind ~ /^(af|minifloat)$/) { for (scale = 1; largest / scale > 3968; scale *= 2); for (; largest / scale <= 1984; scale /= 2); }
  for (a = 0; a < 256; ++a) {
    v = value(a, "af", 8, 3)
    if (kind == "bf16") { code[binary(a, 8)] = binary(bfloat(v), 16); continue }
    best = -1
    for (c in of) {
      d = of[c] - v * scale
      if (d < 0) d = -d
      if (best < 0 || d < best) { best = d; nearest = c }
    }
    code[binary(a, 8)] = binary(nearest, bits)
  }
  zeros = binary(0, 128)
}
$1 == "$var" { name[$4] = $5; if ($5 in seen) delete name[$4]; seen[$5] = 1 }
/^#/ { next }
/^[01]/ {
  id = substr($0, 2)
  if (!(id in name)) next
  if (name[id] == "clk_i" && substr($0, 1, 1) == "1") edge()
  signal[name[id]] = substr($0, 1, 1)
}
/^b/ { if ($2 in name) signal[name[$2]] = substr(zeros, 1, 128 - length($1) + 1) substr($1, 2) }
function lane(vector, k) { return substr(vector, 121 - 8 * k, 8) }
function edge(  k, a, b, i) {
  a = b = ""
  if (signal["load_valid_i"] == "1") {
    i = 0
    for (k = 0; k < 4; ++k) i = 2 * i + substr(signal["load_index_i"], 125 + k, 1)
    if (signal["load_transposed_i"] == "1") shadow[i] = lane(signal["load_codes_i"], 0)
    else if (i == 0) for (k = 0; k < 16; ++k) shadow[k] = lane(signal["load_codes_i"], k)
  }
  if (swaps > 0) {
    for (k = 15; k >= 0; --k) {
      a = a code[lane(signal["row_codes_i"], k)]
      b = b code[k in before ? before[k] : "00000000"]
    }
    print hex(binary(loaded, 4)) hex(binary(signal["row_valid_i"], 4)) hex(a) hex(b)
  }
  loaded = 0
  if (signal["swap_i"] == "1") {
    for (k in shadow) before[k] = shadow[k]
    swaps++
    loaded = 1
  }
}

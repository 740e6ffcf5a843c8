// Reads the registers of an IP-XACT component: a small XML parser that knows elements and text, and
// nothing of the program that wrote the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace edgebert::test {

struct XmlElement {
  std::string name;  ///< without the name space
  std::string text;
  std::vector<XmlElement> children;

  [[nodiscard]] const XmlElement* Find(const std::string& child) const {
    for (const XmlElement& element : children) {
      if (element.name == child) return &element;
    }
    return nullptr;
  }
  [[nodiscard]] const XmlElement& At(const std::string& child) const {
    const XmlElement* element = Find(child);
    if (element == nullptr) throw std::runtime_error("no <" + child + "> in <" + name + ">");
    return *element;
  }
  [[nodiscard]] uint32_t Number(const std::string& child) const {
    return static_cast<uint32_t>(std::stoul(At(child).text, nullptr, 0));
  }
};

class XmlReader {
 public:
  explicit XmlReader(const std::string& text) : text_(text) {}

  XmlElement Read() {
    at_ = text_.find("?>") + 2;
    at_ = text_.find('<', at_);
    return Element();
  }

 private:
  XmlElement Element() {
    const size_t end = text_.find('>', at_);
    std::string tag = text_.substr(at_ + 1, end - at_ - 1);
    tag = tag.substr(0, tag.find(' '));
    XmlElement element;
    element.name = tag.substr(tag.find(':') + 1);
    at_ = end + 1;
    while (true) {
      const size_t next = text_.find('<', at_);
      if (next == std::string::npos) throw std::runtime_error("<" + tag + "> does not end");
      element.text += text_.substr(at_, next - at_);
      at_ = next;
      if (text_.compare(at_, 2, "</") != 0) {
        element.children.push_back(Element());
        continue;
      }
      const size_t close = text_.find('>', at_);
      if (text_.substr(at_ + 2, close - at_ - 2) != tag)
        throw std::runtime_error("</" + tag + ">?");
      at_ = close + 1;
      return element;
    }
  }

  const std::string& text_;
  size_t at_ = 0;
};

struct IpXactField {
  std::string name, access, modified_write;
  uint32_t offset = 0;
  uint32_t width = 0;
  std::optional<uint32_t> reset;

  [[nodiscard]] uint32_t Mask() const {
    return static_cast<uint32_t>(((uint64_t{1} << width) - 1) << offset);
  }
};

struct IpXactRegister {
  std::string access;
  uint32_t offset = 0;
  uint32_t count = 1;
  std::vector<IpXactField> fields;
};

/// Registers by name.
inline std::map<std::string, IpXactRegister> ReadIpXact(const std::string& text) {
  const XmlElement component = XmlReader(text).Read();
  const XmlElement& block = component.At("memoryMaps").At("memoryMap").At("addressBlock");
  std::map<std::string, IpXactRegister> registers;
  for (const XmlElement& element : block.children) {
    if (element.name != "register") continue;
    IpXactRegister entry;
    entry.access = element.At("access").text;
    entry.offset = block.Number("baseAddress") + element.Number("addressOffset");
    if (element.Find("dim") != nullptr) entry.count = element.Number("dim");
    for (const XmlElement& part : element.children) {
      if (part.name != "field") continue;
      IpXactField field;
      field.name = part.At("name").text;
      field.access = part.At("access").text;
      field.offset = part.Number("bitOffset");
      field.width = part.Number("bitWidth");
      if (part.Find("modifiedWriteValue") != nullptr) {
        field.modified_write = part.At("modifiedWriteValue").text;
      }
      if (const XmlElement* resets = part.Find("resets")) {
        field.reset = resets->At("reset").Number("value");
      }
      entry.fields.push_back(field);
    }
    registers[element.At("name").text] = entry;
  }
  return registers;
}

/// `#define EB_<name> <number>u` of a C header, by name.
inline std::map<std::string, uint32_t> ReadDefines(const std::string& header) {
  std::map<std::string, uint32_t> defines;
  for (size_t at = header.find("#define EB_"); at != std::string::npos;
       at = header.find("#define EB_", at + 1)) {
    const size_t name = at + 11;
    const size_t end = header.find_first_of(" \n", name);
    if (header[end] == ' ') {
      defines[header.substr(name, end - name)] =
          static_cast<uint32_t>(std::stoul(header.substr(end + 1), nullptr, 0));
    }
  }
  return defines;
}

}  // namespace edgebert::test

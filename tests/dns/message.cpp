#include "tests/dns/message.h"

#include "base/ip.h"
#include "base/text.h"

#include <algorithm>
#include <array>

namespace stack::test {
namespace {

std::string number(std::uint16_t value) {
    return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}

unsigned number_at(const std::string& bytes, std::size_t offset) {
    const unsigned high = static_cast<unsigned char>(bytes.at(offset));
    return high << 8U | static_cast<unsigned char>(bytes.at(offset + 1));
}

std::string name_bytes(const std::string& name) {
    std::string bytes;
    for (const auto& label : name.empty() ? std::vector<std::string>{} : split(name, '.')) {
        bytes.push_back(static_cast<char>(label.size()));
        bytes += label;
    }
    return bytes + std::string(1, '\0');
}

std::string name_at(const std::string& bytes, std::size_t& offset) {
    std::vector<std::string> labels;
    while (bytes.at(offset) != '\0') {
        if ((static_cast<unsigned char>(bytes[offset]) & 0xc0U) == 0xc0U) {
            std::size_t target = number_at(bytes, offset) & 0x3fffU;
            offset += 2;
            labels.push_back(name_at(bytes, target));
            return join(labels, ".");
        }
        const auto length = static_cast<unsigned char>(bytes[offset]);
        labels.push_back(bytes.substr(offset + 1, length));
        offset += length + 1U;
    }
    ++offset;
    return join(labels, ".");
}

std::string record_text(const std::string& bytes, std::size_t& offset) {
    name_at(bytes, offset);
    const unsigned type = number_at(bytes, offset);
    const unsigned length = number_at(bytes, offset + 8);
    std::size_t data = offset + 10;
    offset = data + length;
    if (type == 1 || type == 28)
        return (type == 1 ? "A " : "AAAA ") + to_text(ip_from_bytes(bytes.substr(data, length)));
    if (type == 12)
        return "PTR " + name_at(bytes, data);
    return "TYPE" + std::to_string(type);
}

}  // namespace

std::string question(const std::string& name, const QuestionOptions& options) {
    std::string bytes = number(options.id) + number(options.flags) + number(1) + number(0) +
                        number(0) + number(options.edns_size == 0 ? 0 : 1) + name_bytes(name) +
                        number(options.type) + number(1);
    if (options.edns_size != 0)
        bytes += std::string(1, '\0') + number(41) + number(options.edns_size) + number(0) +
                 number(0) + number(0);
    return bytes;
}

std::string response_text(const std::string& response) {
    if (response.empty())
        return {};
    constexpr std::array<const char*, 6> statuses{
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
    const unsigned flags = number_at(response, 2);
    std::string text = statuses.at(flags & 0xfU);
    text += (flags & 0x0400U) != 0 ? " aa" : "";
    text += (flags & 0x0200U) != 0 ? " tc" : "";
    std::size_t offset = 12;
    name_at(response, offset);
    offset += 4;
    std::vector<std::string> records;
    for (unsigned i = 0; i < number_at(response, 6); ++i)
        records.push_back(record_text(response, offset));
    std::sort(records.begin(), records.end());
    for (const auto& record : records)
        text += " " + record;
    return text;
}

std::string upstream_response(const std::string& query, const std::string& address) {
    std::string response =
        query.substr(0, 2) + number(0x8180) + number(1) + number(1) + number(0) + number(0);
    std::size_t end = 12;
    name_at(query, end);
    response += query.substr(12, end + 4 - 12);
    const IpAddress parsed = *parse_ip(address);
    response += number(0xc00c) + number(1) + number(1) + number(0) + number(60) + number(4);
    return response + std::string(bytes_of(parsed));
}

}  // namespace stack::test

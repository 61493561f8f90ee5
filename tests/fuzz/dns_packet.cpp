// What containers send to the name service: whatever it is, it is read within its bounds, and what
// is answered can be read again.

#include "dns/packet.h"
#include "dns/table.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack::dns;
    static const Table table =
        parse_table("listen 10.0.0.1 none\nname 10.0.0.1 web 10.0.0.2 fd00::2\n");
    const std::string_view packet(reinterpret_cast<const char*>(data), size);
    const auto query = parse_query(packet);
    if (!query)
        return 0;
    const auto answer = find_answer(table, {table.begin()->first, {}}, *query, {});
    const std::string reply = compose_answer(packet, *query, *answer, query->udp_size);
    if (!answers(reply, packet))
        std::abort();
    return 0;
}

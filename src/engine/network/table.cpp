#include "engine/network/table.h"

#include "engine/network/rules.h"
#include "engine/network/sets.h"

#include <algorithm>
#include <iterator>

namespace stack::network {
namespace {

sys::NftElements elements_of(const Elements& elements, const std::string& set) {
    const auto found = elements.find(set);
    return found == elements.end() ? sys::NftElements() : encode_elements(set, found->second);
}

sys::NftElements missing(const sys::NftElements& from, const sys::NftElements& in) {
    sys::NftElements difference;
    std::set_difference(from.begin(),
                        from.end(),
                        in.begin(),
                        in.end(),
                        std::inserter(difference, difference.end()));
    return difference;
}

}  // namespace

std::string table_name(const std::string& instance) {
    return instance.empty() ? "stack" : "stack_" + instance;
}

sys::NftBatch table_replacement(const std::string& table, const Elements& elements) {
    sys::NftBatch batch(table);
    // Removing what is not there fails the transaction; ensuring what is there does not.
    batch.ensure_table();
    batch.remove_table();
    if (elements.empty())
        return batch;
    batch.ensure_table();
    for (const auto& set : table_sets()) {
        batch.add_set(set);
        batch.add_elements(set.name, elements_of(elements, set.name));
    }
    for (const auto& chain : table_chains())
        batch.add_chain(chain);
    for (const auto& chain : table_chains())
        batch.add_rules(chain);
    return batch;
}

sys::NftBatch table_edits(const std::string& table, const Elements& before, const Elements& after) {
    sys::NftBatch batch(table);
    for (const auto& set : table_sets())
        batch.remove_elements(set.name,
                              missing(elements_of(before, set.name), elements_of(after, set.name)));
    for (const auto& set : table_sets())
        batch.add_elements(set.name, elements_of(after, set.name));
    return batch;
}

bool is_in_force(const sys::NftListing& listing, const Elements& elements) {
    const auto has_chain = [&](const sys::NftChain& chain) {
        const auto found = listing.chains.find(chain.name);
        return found != listing.chains.end() && found->second == sys::listing_for(chain);
    };
    const auto has_elements = [&](const sys::NftSet& set) {
        const auto found = listing.sets.find(set.name);
        return found != listing.sets.end() && found->second == elements_of(elements, set.name);
    };
    return !listing.dormant && listing.chains.size() == table_chains().size() &&
           listing.sets.size() == table_sets().size() &&
           std::all_of(table_chains().begin(), table_chains().end(), has_chain) &&
           std::all_of(table_sets().begin(), table_sets().end(), has_elements);
}

}  // namespace stack::network

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

std::vector<sys::NftFamily> families(bool on_bridges) {
    if (on_bridges)
        return {sys::NftFamily::inet, sys::NftFamily::bridge};
    return {sys::NftFamily::inet};
}

/// The sets, or the chains, of the table of one family.
template <class T>
std::vector<T> of(sys::NftFamily family, const std::vector<T>& all) {
    std::vector<T> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), [&](const T& one) {
        return one.family == family;
    });
    return some;
}

}  // namespace

std::string table_name(const std::string& instance) {
    return instance.empty() ? "stack" : "stack_" + instance;
}

sys::NftBatch table_replacement(const std::string& table,
                                const Elements& elements,
                                bool on_bridges) {
    sys::NftBatch batch(table);
    for (const auto family : families(on_bridges)) {
        // Removing what is not there fails the transaction; ensuring what is there does not.
        batch.ensure_table(family);
        batch.remove_table(family);
        if (elements.empty())
            continue;
        batch.ensure_table(family);
        for (const auto& set : of(family, table_sets())) {
            batch.add_set(set);
            batch.add_elements(set, elements_of(elements, set.name));
        }
        for (const auto& chain : of(family, table_chains()))
            batch.add_chain(chain);
        for (const auto& chain : of(family, table_chains()))
            batch.add_rules(chain);
    }
    return batch;
}

sys::NftBatch table_edits(const std::string& table,
                          const Elements& before,
                          const Elements& after,
                          bool on_bridges) {
    sys::NftBatch batch(table);
    const auto edit = [&](auto change) {
        for (const auto& set : table_sets())
            if (on_bridges || set.family != sys::NftFamily::bridge)
                change(set);
    };
    edit([&](const auto& set) {
        batch.remove_elements(set,
                              missing(elements_of(before, set.name), elements_of(after, set.name)));
    });
    edit([&](const auto& set) { batch.add_elements(set, elements_of(after, set.name)); });
    return batch;
}

bool is_in_force(const sys::NftListing& listing, const Elements& elements, sys::NftFamily family) {
    const auto chains = of(family, table_chains());
    const auto sets = of(family, table_sets());
    const auto has_chain = [&](const sys::NftChain& chain) {
        const auto found = listing.chains.find(chain.name);
        return found != listing.chains.end() && found->second == sys::listing_for(chain);
    };
    const auto has_elements = [&](const sys::NftSet& set) {
        const auto found = listing.sets.find(set.name);
        return found != listing.sets.end() && found->second == elements_of(elements, set.name);
    };
    return !listing.dormant && listing.chains.size() == chains.size() &&
           listing.sets.size() == sets.size() &&
           std::all_of(chains.begin(), chains.end(), has_chain) &&
           std::all_of(sets.begin(), sets.end(), has_elements);
}

}  // namespace stack::network

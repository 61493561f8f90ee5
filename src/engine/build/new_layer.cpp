#include "engine/build/new_layer.h"

#include "base/failpoint.h"
#include "engine/build/layer_mount.h"
#include "engine/build/layer_writer.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <set>

namespace stack::build {

Strings lowers_for(const image::Store& store, const Strings& layers) {
    Strings lowers;
    std::set<std::string> seen;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        if (seen.insert(*layer).second)
            lowers.push_back(store.layer_directory(*layer));
    }
    return lowers;
}

NewLayer::NewLayer(image::Store& store, Strings lowers)
    : store_(store), lowers_(std::move(lowers)), staging_(store.begin_layer()) {
    sys::ensure_directory(work(), 0700);
    sys::ensure_directory(scratch(), 0700);
    inherit_root(lowers_, upper());
}

sys::Fd NewLayer::open_root() const {
    return lowers_.empty() ? sys::open_directory(upper()) : mount_layers(lowers_, upper(), work());
}

std::string NewLayer::publish() {
    LayerSummary summary;
    {
        const sys::Fd top = sys::open_directory(upper());
        clean_upper(top);
        summary = summarize_layer(top);
    }
    if (summary.empty)
        return {};
    sys::remove_tree(work());
    sys::remove_tree(scratch());
    STACK_FAILPOINT("build.layer.publish");
    store_.publish_layer(std::move(staging_), summary.diff_id, summary.size);
    return summary.diff_id;
}

}  // namespace stack::build

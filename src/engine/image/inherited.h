#pragma once

// What a layer takes from those below it: the mode and owner of a directory that its tar has no
// entry for, because only something in it has one, and the file that a hard link of it names
// (images.md 2.2). A layer is one directory for all images that have it, and what is below it is
// another in each: so this is a lower directory of its own, just above the layer, named by the
// layer and all that is below it (the ChainID of OCI image-spec config.md). No image decides what
// another one has.
//
//   <images>/inherited/<hex of the ChainID>/fs
//                                         layers   the diffIDs of the chain, one a line
//
// It is there as long as all these layers are, whoever keeps them: an image, or a lease alone, as
// that of a build whose base goes meanwhile.

#include <stack/model.h>

#include <string>

namespace stack::image {

/// The ChainID of each of these layers, base first.
[[nodiscard]] Strings chain_ids(const Strings& diff_ids);

/// The lower directory of what the layer on top of a chain inherits; it may not be there.
[[nodiscard]] std::string inherited_directory(const std::string& root, const std::string& chain_id);

/// Postcondition: what each of these layers, which are in the store, inherits in this order is
/// there, where that is anything. The caller holds the layers by a lease, and no lock: this may
/// take its time. Throws stack::Error where a link leads to nothing.
void ensure_inherited(const std::string& root, const Strings& diff_ids);

/// The diffIDs of a chain, by its name in <images>/inherited; none where they are not known.
[[nodiscard]] Strings layers_of_inherited(const std::string& root, const std::string& name);

/// The lower directories of these layers, topmost first, as overlayfs wants them: each once. Below
/// itself a layer would add nothing.
[[nodiscard]] Strings lower_directories(const std::string& root, const Strings& diff_ids);

}  // namespace stack::image

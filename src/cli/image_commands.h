#pragma once

// The verbs of `stack image`, by what they are about, and what they share.

#include "cli/context.h"
#include "cli/filters.h"
#include "engine/build/build.h"
#include "engine/image/fetch.h"
#include "engine/image/store.h"

#include <map>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace stack::cli {

void add_image_ls(CLI::App& group, Context& context);
void add_image_history(CLI::App& group, Context& context);
void add_image_inspect(CLI::App& group, Context& context);

void add_image_build(CLI::App& group, Context& context);
void add_image_pull(CLI::App& group, Context& context);
void add_image_push(CLI::App& group, Context& context);
void add_image_import(CLI::App& group, Context& context);
void add_image_collect(CLI::App& group, Context& context);
void add_image_load(CLI::App& group, Context& context);
void add_image_save(CLI::App& group, Context& context);
void add_image_export(CLI::App& group, Context& context);

void add_image_tag(CLI::App& group, Context& context);
void add_image_rm(CLI::App& group, Context& context);
void add_image_prune(CLI::App& group, Context& context);
void add_image_verify(CLI::App& group, Context& context);

/// By name or id, or by the beginning of an id, however short, that no other image's has. The
/// store itself knows 12 digits only: what a stack file names is no id that begins so.
[[nodiscard]] std::optional<image::Image> find_image(const image::Store& store,
                                                     const std::string& reference);
/// Gives up where there is none.
[[nodiscard]] image::Image require_image(const image::Store& store, const std::string& reference);
/// A canonical name as people write it.
[[nodiscard]] std::string familiar(const std::string& canonical);

/// Of a name: `nginx` and `1`, "" where it has none.
struct RepositoryAndTag {
    std::string repository;
    std::string tag;
};

[[nodiscard]] RepositoryAndTag repository_and_tag(const std::string& name);
/// The digits of an id, 12 of them unless `whole`.
[[nodiscard]] std::string id_text(const std::string& id, bool whole);

/// Shows a worker's progress on the object `id`; its result in `result`. Returns the exit code.
int show_fetch(const Context& context,
               image::Fetch fetch,
               const std::string& id,
               const std::string& doing,
               const std::string& done,
               std::string& result);

struct Sent {
    int status = 0;   // the exit code
    Strings digests;  // what the images are called now where they are
};

/// Sends images to the registries that their names say, and goes on after one that cannot be sent.
[[nodiscard]] Sent push_images(const Context& context, const Strings& names);

/// --provenance, --sbom and --attest: what is not `false` is warned of.
void add_attestation_options(CLI::App& app);

/// `--ssh`: `default`, `ID=SOCKET` or `ID=KEY,…`, with paths as they are from anywhere.
[[nodiscard]] Strings agents_of(const Strings& texts);

/// Tells images apart: `label=a`, `label=a=b`, `label!=a`, `reference=GLOB`, `dangling=true`,
/// `until=24h`, `before=IMAGE`, `since=IMAGE` (cli/filters.h). Gives up where one is none of these.
class ImageFilter {
  public:
    ImageFilter(const image::Store& store, const Strings& filters);

    [[nodiscard]] bool matches(const image::Image& image) const;

  private:
    Filters filters_;
    std::map<std::string, Time> limits_;  // by IMAGE of before and since
};

/// Asks, and reads the answer on standard input; true where it is yes. Gives up where nobody
/// answers.
[[nodiscard]] bool confirmed(const std::string& question);

}  // namespace stack::cli

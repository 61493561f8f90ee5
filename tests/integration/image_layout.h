#pragma once

// An image as `image save -o oci:DIR` writes it, to be made into what no builder makes.

#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

namespace stack::test {

/// A directory of one image.
class ImageLayout {
  public:
    using Change = std::function<void(nlohmann::json&)>;

    explicit ImageLayout(std::filesystem::path place);

    /// The configuration, all of it, with what names it. What is changed is what is there by then.
    void change_config(const Change& change) const;

    /// The same of its text as it is.
    void set_config(const std::string& text) const;

    [[nodiscard]] nlohmann::json config() const;

    /// Annotations, wherever there can be some.
    void annotate(const nlohmann::json& annotations) const;

  private:
    [[nodiscard]] std::filesystem::path blob(const std::string& digest) const;
    void put(const std::string& text, nlohmann::json& descriptor) const;
    void change_manifest(const Change& change) const;

    std::filesystem::path place_;
};

}  // namespace stack::test

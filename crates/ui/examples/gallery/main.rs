//! Draws every page with sample data into a folder, in both themes, to be looked at:
//! `cargo run -p pisax-ui --example gallery -- /tmp/gallery`, then open `index.html` there.

use std::fs;
use std::path::Path;

mod pages;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned());
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets"))?;
    for name in ["app.css", "app.js", "icon.svg"] {
        let url = pisax_ui::assets::url(name);
        let asset = pisax_ui::asset(&url).expect("an asset is found by its own address");
        fs::write(folder.join(&url[1..]), &asset.bytes)?;
    }
    let mut index = String::from("<!doctype html><title>Gallery</title><ul>");
    for (name, html) in pages::all(&str::to_owned) {
        for theme in ["light", "dark"] {
            let html = html
                .replace("<html lang=\"en\">", &format!("<html lang=\"en\" data-theme=\"{theme}\">"))
                .replace("\"/assets/", "\"assets/");
            let file = format!("{name}-{theme}.html");
            fs::write(folder.join(&file), html)?;
            index.push_str(&format!("<li><a href=\"{file}\">{name}, {theme}</a>"));
        }
    }
    fs::write(folder.join("index.html"), index)?;
    println!("{}", folder.join("index.html").display());
    Ok(())
}

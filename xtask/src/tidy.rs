//! The form of the repository. Each rule returns sentences; none is good news.

mod floors;
mod form;
mod purity;

use crate::repo::Repo;

pub(crate) fn run(repo: &Repo) -> Result<bool, String> {
    let packages = repo.packages()?;
    let mut faults = floors::check(&packages);
    faults.extend(floors::on_the_map(
        &packages,
        &repo.read("ARCHITECTURE.md").unwrap_or_default(),
    ));
    for file in repo.files_ending(&[".rs"])? {
        let source = repo.read(&file)?;
        faults.extend(purity::check(&file, &source));
        faults.extend(form::lengths(&file, &source));
    }
    for file in repo.files()? {
        let text = repo.read(&file)?;
        faults.extend(form::words(&file, &text));
        faults.extend(form::places(&file, &text, &repo.root));
    }
    for fault in &faults {
        println!("   {fault}");
    }
    Ok(faults.is_empty())
}

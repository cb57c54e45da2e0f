using System.Globalization;
using Lifeboat.Tests.Shared;

namespace Lifeboat.EngineTests.EndToEnd;

/// <summary>What the sweeps over the steps of an operation share.</summary>
internal static class Interruptions
{
    private static bool IsFull => Environment.GetEnvironmentVariable("LIFEBOAT_SWEEP") == "full";

    public static async Task<IInterruptedServer> StartAsync(string kind, TemporaryFolder folder) =>
        kind == "postgres" ? await InterruptedPostgres.StartAsync() : await InterruptedMySql.StartAsync(kind, folder["vectors"]);

    public static string[] Count(InterruptedApp app, Func<ProgramRun> run)
    {
        app.TakeSteps();
        ProgramRun whole = run();
        Assert.True(whole.ExitStatus is 0 or 3, whole.All);
        string[] steps = app.TakeSteps();
        Assert.True(steps.Length > 25, string.Create(CultureInfo.InvariantCulture, $"only {steps.Length} steps"));
        return steps;
    }

    public static IEnumerable<int> Chosen(int steps, int every) => Enumerable.Range(1, steps).Where(at => IsFull || at == 1 || at % every == every - 1 || every == 1);
}

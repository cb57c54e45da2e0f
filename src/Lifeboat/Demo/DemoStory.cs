using System.Diagnostics.CodeAnalysis;
using Lifeboat.Commands;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Demo;

/// <summary>Back up, destroy, restore, compare: each step as a person would do it, by the same commands.</summary>
internal sealed class DemoStory(CommandRun run, bool keep)
{
    private int _step;

    public async Task<ExitStatus> TellAsync(CancellationToken cancellation)
    {
        DemoApp app = DemoApp.Prepare(run.Host);
        try
        {
            await using (app)
                return await TellAsync(app, cancellation);
        }
        finally
        {
            CleanUp(app);
        }
    }

    private async Task<ExitStatus> TellAsync(DemoApp app, CancellationToken cancellation)
    {
        Step("A sample app is made", $"in {app.Folder}");
        await app.CreateAsync(cancellation);
        foreach (string part in app.Parts)
            run.Output.Say("  " + part);
        if (app.WithoutPostgres is { } without)
            run.Output.Say("  " + without);
        IReadOnlyList<(string What, string Value)> before = await app.FingerprintAsync(cancellation);

        Step("It is backed up, while it runs");
        await CommandAsync(app, ["backup"], cancellation);
        Step("The backup is looked at, and every byte of it is checked");
        await CommandAsync(app, ["list"], cancellation);
        await CommandAsync(app, ["verify", "latest"], cancellation);
        Step("The app is destroyed");
        foreach (string line in await app.DestroyAsync(cancellation))
            run.Output.Say("  " + line);
        Step("It is restored");
        await CommandAsync(app, ["restore", "latest", "--yes"], cancellation);
        Step("Before and after are compared, by means of their own");
        return Compare(app, before, await app.FingerprintAsync(cancellation));
    }

    private ExitStatus Compare(
        DemoApp app, IReadOnlyList<(string What, string Value)> before, IReadOnlyList<(string What, string Value)> after)
    {
        DemoCheck[] checks = [.. before.Zip(after, static (b, a) => new DemoCheck(b.What, b.Value, a.Value, b.Value == a.Value))];
        bool identical = checks.All(static check => check.Identical);
        ExitStatus exit = identical ? run.Conclude() : ErrorCodes.DemoFailed.Exit;
        DemoSummary summary = new(identical, app.WithoutPostgres is null, checks, Math.Round(run.Elapsed.TotalSeconds, 1), (int)exit);
        run.Output.Show(summary, OutputJson.Default.DemoSummary, text =>
        {
            TextTable table = new("What", "Before", "After", "");
            foreach (DemoCheck check in checks)
                table.Row(check.What, check.Before, check.After, check.Identical ? "same" : "DIFFERENT");
            text.Table(table).Line();
            if (identical)
                text.Line($"Everything is back, and identical. That took {Quantity.Duration(run.Elapsed)}.")
                    .Line("Your own app: lifeboat init");
        });
        return identical ? exit : run.Fail(
            [.. checks.Where(static check => !check.Identical).Select(static check => new Problem(
                ErrorCodes.DemoFailed,
                $"not the same after the restore: {check.What}: {check.Before} before, {check.After} after",
                "this is a defect of Lifeboat; please report it with the output of `lifeboat demo --keep -v`"))],
            exit);
    }

    /// <summary>Runs one of the program's own commands, in the app's folder.</summary>
    private async Task CommandAsync(DemoApp app, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        run.Output.Say($"$ lifeboat {string.Join(' ', arguments)}");
        run.Output.Settle();
        List<string> all = [.. arguments, "-c", app.AppFile];
        if (run.Shared.Json)
            all.Add("--json");
        if (run.Shared.Quiet)
            all.Add("--quiet");
        if (run.Shared.Verbose)
            all.Add("--verbose");
        ExitStatus exit = await CommandTree.RunAsync(all, run.Host with { WorkingDirectory = app.Folder }, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (exit != ExitStatus.Done)
            throw new LifeboatException(
                ErrorCodes.DemoFailed,
                $"`lifeboat {string.Join(' ', arguments)}` ended with exit status {(int)exit}",
                "its own message is above; `lifeboat demo --keep` leaves the sample app to look at");
    }

    private void Step(string title, string? detail = null)
    {
        _step++;
        run.Output.Show(
            new DemoStep(_step, title, Math.Round(run.Elapsed.TotalSeconds, 1)),
            OutputJson.Default.DemoStep,
            text => text.Line().Line($"{_step}. {title}{(detail is null ? "" : " " + detail)}"));
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "what cannot be removed is told, and must not hide how the demo ended")]
    private void CleanUp(DemoApp app)
    {
        if (keep)
        {
            run.Output.Say($"Everything is left in {app.Root}{(app.WithoutPostgres is null ? "; its PostgreSQL server is stopped" : "")}.");
            return;
        }

        try
        {
            app.Delete();
        }
        catch (Exception e)
        {
            run.Output.Warn(new Problem(ErrorCodes.StorageFailed, $"{app.Root} could not be removed: {e.Message}",
                $"remove it: rm -rf {app.Root}"));
        }
    }
}

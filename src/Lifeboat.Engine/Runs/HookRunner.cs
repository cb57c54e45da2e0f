using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Progress;

namespace Lifeboat.Engine.Runs;

/// <summary>When a hook is run.</summary>
public enum HookMoment
{
    BeforeBackup,
    AfterBackup,
    BeforeCommit,
    AfterCommit,
    AfterRollback,
}

/// <summary>
/// Runs an app's hooks, in the app file's folder, with <c>LIFEBOAT_APP</c>, <c>LIFEBOAT_HOOK</c> and what else is given in their environment.
/// </summary>
/// <param name="variables">More environment variables.</param>
public sealed class HookRunner(App app, RunContext run, IReadOnlyDictionary<string, string?> variables)
{
    public bool HasAny(HookMoment moment) => Of(moment).Commands.Count > 0;

    /// <exception cref="LifeboatException">One of them failed; those after it were not run.</exception>
    public async Task RunAsync(HookMoment moment, CancellationToken cancellation)
    {
        (string name, IReadOnlyList<IReadOnlyList<string>> commands) = Of(moment);
        Dictionary<string, string?> environment = new(variables) { ["LIFEBOAT_APP"] = app.Name, ["LIFEBOAT_HOOK"] = name };
        foreach (IReadOnlyList<string> command in commands)
        {
            run.Progress.Report(new Noted(null, $"hook {name}: {command[0]}"));
            ProgramStart start = new(command[0], [.. command.Skip(1)]) { Environment = environment, Inherits = app.PassEnvironment, WorkingDirectory = app.Directory };
            await run.StepAsync($"hook {name}", () => RunAsync(name, start, cancellation));
        }
    }

    private (string Name, IReadOnlyList<IReadOnlyList<string>> Commands) Of(HookMoment moment) => moment switch
    {
        HookMoment.BeforeBackup => ("before_backup", app.Hooks.BeforeBackup),
        HookMoment.AfterBackup => ("after_backup", app.Hooks.AfterBackup),
        HookMoment.BeforeCommit => ("before_commit", app.Hooks.BeforeCommit),
        HookMoment.AfterCommit => ("after_commit", app.Hooks.AfterCommit),
        _ => ("after_rollback", app.Hooks.AfterRollback),
    };

    private static async Task RunAsync(string name, ProgramStart start, CancellationToken cancellation)
    {
        try
        {
            await ProgramRunner.RequireAsync(start, cancellation);
        }
        catch (LifeboatException e)
        {
            throw new LifeboatException(
                ErrorCodes.HookFailed, $"the hook {name} failed: {e.Problems[0].Message}", "run the command by hand, mend what it says, and run again", $"hooks.{name}", e);
        }
    }
}

using System.CommandLine;
using Lifeboat.Engine.Errors;
using Lifeboat.Output;

namespace Lifeboat.Commands;

/// <summary>Asks for the app's name before something is replaced or removed.</summary>
internal sealed class Confirmation(CommandRun run, string app, bool yes)
{
    /// <summary>Set when the person did not type the app's name.</summary>
    public Problem? Refusal { get; private set; }

    public static Option<bool> Create() => new("--yes", "-y") { Description = "Do not ask for the app's name" };

    public static Option<bool> CreateTrust() => new("--trust")
    {
        Description = "Take a snapshot that does not show who wrote it: one without encryption where there is a password, or from elsewhere",
    };

    /// <param name="alternative">What else could be done, for the hint.</param>
    /// <exception cref="LifeboatException">Nobody can be asked.</exception>
    public static void Require(CommandRun run, bool yes, string what, string alternative = "")
    {
        if (!yes && !run.CanAsk)
            throw new LifeboatException(ErrorCodes.Usage, $"{what} and there is no terminal to ask at", $"add --yes to go on without being asked{alternative}");
    }

    /// <summary>Runs what asks; where the person did not type the app's name, the run ends as cancelled, and says so.</summary>
    public async Task<ExitStatus> UnlessRefusedAsync(Func<Task<ExitStatus>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (Refusal is not null)
        {
            return run.Fail([Refusal], ExitStatus.Cancelled);
        }
    }

    /// <summary>Shows what is about to happen and asks whether to go on.</summary>
    public async Task<bool> AskAsync(Action<TextReport> describe, string question, CancellationToken cancellation)
    {
        if (yes)
            return true;
        run.Output.Settle();
        TextReport report = new(run.Host.Width(), unicode: false, run.Host.Zone);
        describe(report);
        await run.Host.Out.WriteAsync(report.ToString().AsMemory(), cancellation);
        bool agreed = await run.ConfirmAsync(question, app, cancellation);
        if (!agreed)
            Refusal = new Problem(ErrorCodes.Cancelled, "that is not the app's name; nothing was changed", $"run again and type {app}, or add --yes");
        return agreed;
    }
}

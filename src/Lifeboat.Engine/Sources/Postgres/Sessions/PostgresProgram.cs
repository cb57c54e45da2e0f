using Lifeboat.Engine.Processes;
using Lifeboat.Engine.Sources.Postgres.Sql;
using Lifeboat.Engine.Sources.Servers;

namespace Lifeboat.Engine.Sources.Postgres.Sessions;

/// <summary>Runs client programs that connect by themselves (pg_dump, pg_dumpall), and notices when their connection has stalled.</summary>
/// <param name="applicationName">By which the server tells their sessions from all others.</param>
internal sealed class PostgresProgram(PostgresTools tools, PostgresConnection connection, string applicationName)
{
    /// <summary>Runs one to its end; gives its exit status and the end of its error stream.</summary>
    /// <exception cref="Errors.LifeboatException">It cannot be started, or its connection has stalled.</exception>
    public async Task<(int ExitStatus, string Errors, ProgramStart Start)> RunAsync(
        string program, IEnumerable<string> arguments, Func<Stream, CancellationToken, Task> drain, CancellationToken cancellation)
    {
        PostgresCommand command = connection.WithApplicationName(applicationName).Command(program, arguments);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        string? stalled = null;
#pragma warning disable CA2000 // the finally below disposes it
        StallWatch? watch = connection.StallLimit is not { } limit ? null : new StallWatch(
            limit,
            token => new PostgresLook(tools, connection).AtAsync($"a.application_name = {SqlText.Literal(applicationName)}", token),
            reason =>
            {
                stalled = reason;
                stop.Cancel();
            });
#pragma warning restore CA2000
        try
        {
            (int exit, string errors) = await ProgramRunner.PumpAsync(
                command.Start,
                async (input, token) => await input.WriteAsync(command.InputPrefix, token),
                (output, token) => drain(watch?.Watched(output) ?? output, token),
                stop.Token);
            return (exit, errors, command.Start);
        }
        catch (OperationCanceledException) when (stalled is not null && !cancellation.IsCancellationRequested)
        {
            throw PostgresProblems.Lost(stalled, connection, $"{Path.GetFileName(program)} used it");
        }
        finally
        {
            if (watch is not null)
                await watch.DisposeAsync();
        }
    }
}

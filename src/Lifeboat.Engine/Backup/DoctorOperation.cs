using System.Globalization;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Apps.Detection;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Restore;
using Lifeboat.Engine.Runs;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Sources;
using Lifeboat.Engine.Storage;
using Lifeboat.Engine.Stores;

namespace Lifeboat.Engine.Backup;

/// <param name="Subject">What was looked at: a source, a store, the encryption, the lock.</param>
/// <param name="Blockers">Every reason why a backup would fail.</param>
/// <param name="Warnings">What a person should know.</param>
public sealed record DoctorFinding(string Subject, IReadOnlyList<Problem> Blockers, IReadOnlyList<Problem> Warnings)
{
    public bool Ok => Blockers.Count == 0;
}

public sealed record DoctorReport(IReadOnlyList<DoctorFinding> Findings);

/// <summary>Looks for every reason why the app could not be backed up here and now; changes nothing of the app's.</summary>
public sealed class DoctorOperation(App app, RunContext context)
{
    private readonly SecretResolver _secrets = SecretResolver.For(app, context);

    public async Task<DoctorReport> RunAsync(CancellationToken cancellation)
    {
        SourceFactory factory = new(app, context, _secrets);
        List<DoctorFinding> findings = [];
        foreach (SourceSettings source in app.Sources)
            findings.Add(await LookAsync($"source {source.Name} ({source.Type})", () => factory.Create(source).CheckAsync(cancellation)));
        foreach (StoreSettings store in app.Stores)
            findings.Add(await LookAsync($"store {store.Name}", () => Task.FromResult(CheckStore(store))));
        findings.Add(await LookAsync("encryption", () => CheckEncryptionAsync(cancellation)));
        if (Served().ToArray() is { Length: > 0 } served)
            findings.Add(new DoctorFinding("web server", [], served));
        findings.AddRange(await LookAtRestoresAsync(cancellation));
        findings.Add(await LookAsync("lock", () => Task.FromResult(CheckLock())));
        return new DoctorReport(findings);
    }

    /// <summary>What of ours lies where a web server probably serves it.</summary>
    private IEnumerable<Problem> Served()
    {
        List<(string What, string Folder)> places = [("the app file and the state folder are", app.Directory)];
        places.AddRange(app.Stores.Select(static store => ($"the store {store.Name} is", store.Path)));
        if (app.Password is { Scheme: SecretScheme.File, Locator: var file })
            places.Add(("the passphrase is", Path.GetDirectoryName(Path.Combine(app.Directory, file))!));
        foreach ((string what, string folder) in places)
        {
            if (WebRoot.SignOf(folder) is { } sign)
                yield return new Problem(
                    ErrorCodes.PlaceServed, $"{what} in a folder that a web server probably serves ({sign}): whoever guesses the name can fetch it",
                    "move it to a folder outside, or see that the web server refuses it", folder);
        }
    }

    /// <summary>A line for each restore that was interrupted, or keeps a state.</summary>
    private async Task<IReadOnlyList<DoctorFinding>> LookAtRestoresAsync(CancellationToken cancellation)
    {
        IReadOnlyList<PastRestore> past;
        try
        {
            past = await new StatusOperation(app, context).RunAsync(cancellation);
        }
        catch (LifeboatException e)
        {
            return [new DoctorFinding("earlier restores", e.Problems, [])];
        }

        return [.. past.Select(static restore => new DoctorFinding(
            restore.State == PastRestoreState.Kept
                ? string.Create(CultureInfo.InvariantCulture, $"restore {restore.Id}: keeps the state before it ({restore.Kept.Sum(static kept => kept.State?.Bytes ?? 0) / 1e6:0.0} MB), until `lifeboat discard`")
                : $"restore {restore.Id}",
            [],
            restore.Interruption is { } interruption ? [interruption] : []))];
    }

    private static async Task<DoctorFinding> LookAsync(string subject, Func<Task<IReadOnlyList<Problem>>> look)
    {
        IReadOnlyList<Problem> problems;
        try
        {
            problems = await look();
        }
        catch (LifeboatException e)
        {
            problems = e.Problems;
        }

        return new DoctorFinding(
            subject,
            [.. problems.Where(static problem => problem.Code.Exit != ExitStatus.Warnings)],
            [.. problems.Where(static problem => problem.Code.Exit == ExitStatus.Warnings)]);
    }

    private IReadOnlyList<Problem> CheckStore(StoreSettings store)
    {
        new DirectoryStore(store, context.Host).Prepare();
        string probe = Path.Combine(store.Path, $".{app.Name}_{context.Host.NewId()}.partial");
        try
        {
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new Problem(ErrorCodes.StorageFailed, $"cannot write to {store.Path}: {e.Message}", "give the user who runs Lifeboat the right to write there", $"stores.{store.Name}")];
        }

        StoredSnapshot[] ahead = [.. new DirectoryStore(store, context.Host).List(app.Name).Where(one => LatestSnapshot.IsAhead(one.Timestamp, context.Host))];
        return
        [
            .. SpaceCheck.Shortage(store.Path, 0, "a bundle") is { } shortage ? [shortage] : (Problem[])[],
            .. ahead.Length == 0 ? (Problem[])[] : [LatestSnapshot.Ahead(ahead) with { Where = $"stores.{store.Name}" }],
        ];
    }

    private async Task<IReadOnlyList<Problem>> CheckEncryptionAsync(CancellationToken cancellation)
    {
        if (app.Password is null)
            return [EncryptionPassword.NotEncrypted];
        Secret password = await _secrets.ResolveAsync(app.Password, cancellation);
        return PassphraseStrength.Check(password, "encryption.password") is { } weakness ? [weakness] : [];
    }

    private IReadOnlyList<Problem> CheckLock()
    {
        using RunLock held = RunLock.Take(app, context.Host, "doctor");
        return [];
    }
}

using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Bundles;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Stores;

/// <summary>Opens a bundle with the app's password.</summary>
public sealed class SnapshotOpener(App? app, RunContext context)
{
    /// <summary>The variable that gives the password where there is no app file.</summary>
    public const string PasswordVariable = "LIFEBOAT_PASSWORD";

    /// <summary>Opens the bundle's list of files; nothing of its content is read yet.</summary>
    /// <exception cref="Errors.LifeboatException">It is not a bundle, or damaged, or the password cannot be had.</exception>
    public async Task<BundleReader> OpenBundleAsync(StoredSnapshot snapshot, CancellationToken cancellation) =>
        await BundleReader.OpenAsync(snapshot.Path, await PasswordAsync(cancellation), cancellation);

    /// <summary>Opens the bundle and checks the snapshot's structure.</summary>
    /// <exception cref="Errors.LifeboatException">As above, or the password is wrong.</exception>
    public async Task<VerifiedSnapshot> OpenAsync(StoredSnapshot snapshot, CancellationToken cancellation) =>
        await VerifiedSnapshot.OpenAsync(await OpenBundleAsync(snapshot, cancellation), cancellation);

    private async Task<Secret?> PasswordAsync(CancellationToken cancellation)
    {
        if (app?.Password is { } reference)
            return await SecretResolver.For(app, context).ResolveAsync(reference, cancellation);
        return GivenPassword(context.Host);
    }

    /// <summary>The password that is given where there is no app file; null for none.</summary>
    internal static Secret? GivenPassword(HostEnvironment host) =>
        host.Variables.TryGetValue(PasswordVariable, out string? value) && value.Length > 0 ? new Secret(value) : null;
}

using Lifeboat.Engine.Apps;

namespace Lifeboat.Engine.Secrets;

/// <summary>Turns a reference into its value.</summary>
public interface ISecretResolver
{
    /// <exception cref="Errors.LifeboatException">The secret is not there; the message names the reference, never a value.</exception>
    Task<Secret> ResolveAsync(SecretReference reference, CancellationToken cancellation);
}

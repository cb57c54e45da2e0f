using System.Security.Cryptography;
using System.Text;

namespace Lifeboat.Engine.Sources.Postgres.Owners;

/// <summary>
/// What a PostgreSQL server keeps of a password (RFC 5803, as PostgreSQL's scram-common.c writes it). A statement with it, instead of the password, can stand in the
/// server's log.
/// </summary>
internal static class ScramVerifier
{
    private const int Iterations = 4096; // as the server itself takes; the password is random, so more of them add nothing

    /// <param name="password">In ASCII, which needs no normalisation (SASLprep).</param>
    public static string Of(string password, ReadOnlySpan<byte> salt)
    {
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(password), salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        byte[] stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        byte[] server = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }
}
